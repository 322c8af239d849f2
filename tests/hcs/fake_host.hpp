// A test's view of the doubles (tests/support/fake_hcs/host.hpp): a fresh host for each test.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "hcs/compute_system.hpp"
#include "hcs/native_api.hpp"

namespace mullion::test {

class FakeHost : public testing::Test {
  protected:
    FakeHost();
    // Fails the test if anything of a container is left: handles, endpoints, namespaces, active layers.
    ~FakeHost() override;

    const std::filesystem::path& directory() const { return directory_; }
    // Makes a call fail once: "HcsStartComputeSystem", "80070005".
    void fault(std::string_view call, std::string_view value = "80070005");
    void set(const char* name, std::string_view text);
    // Names of the calls so far, in their order.
    std::vector<std::string> calls() const;
    std::string log() const;
    void clear_log();

    // A system on one layer and a mounted scratch.
    hcs::ComputeSystemDocument document();
    std::filesystem::path scratch() const { return directory_ / "scratch"; }
    std::filesystem::path layer() const { return directory_ / "layer"; }
    // child.exe with both outputs.
    hcs::ProcessParameters child(std::string_view arguments) const;

    std::size_t network_objects(const char* kind) const;
    void forget_network();  // as if the network service had lost its state
    void disconnect();
    void exit_unexpectedly(const std::string& id);

  private:
    hcs::Library core_{"computecore.dll"};
    hcs::Library network_{"computenetwork.dll"};
    hcs::Library layers_{"vmcompute.dll"};
    std::filesystem::path directory_;
};

}  // namespace mullion::test
