// What the conformance suites of hcs run against: a pair of ComputeService and LayerStorage.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/file.hpp"
#include "hcs/compute_system.hpp"
#include "hcs/layer_storage.hpp"

namespace mullion::test {

struct BackendLimits {
    std::uint32_t tasks = 512;
    std::chrono::seconds time_limit{120};
};

struct HcsBackend {
    std::unique_ptr<hcs::ComputeService> compute;
    std::unique_ptr<hcs::LayerStorage> storage;
};

struct HcsBackendFactory {
    std::string name;
    std::function<std::optional<std::string>()> problem;  // why its tests cannot run here
    std::function<HcsBackend(const BackendLimits&)> make;
    // Makes a base layer of a folder with `Files`, where that takes more than files.
    std::function<void(const std::filesystem::path& folder)> finish_base = {};
    // Cases that cannot be tried on this backend here, by name, and why.
    std::map<std::string, std::string> exceptions = {};
};

inline void PrintTo(const HcsBackendFactory& factory, std::ostream* out) {
    *out << factory.name;
}

// How a command of a test ended.
struct CommandResult {
    std::uint32_t exit_code = 0;
    std::string out;
    std::string err;
    hcs::LayerChanges changes;

    // The paths of a kind of change.
    std::vector<std::string> paths(hcs::RawChange::Kind kind) const;
    const hcs::RawChange* find(std::string_view path) const;
};

// A temporary directory with an image of one layer.
class HcsConformance : public testing::TestWithParam<HcsBackendFactory> {
  protected:
    void SetUp() override;

    // Files of the image; parents are made.
    void write(std::string_view path, std::string_view data);
    std::filesystem::path base_layer() const { return directory_->path() / "base"; }
    std::filesystem::path scratch(std::string_view name = "scratch") const {
        return directory_->path() / name;
    }

    void use_limits(const BackendLimits& limits) { backend_ = GetParam().make(limits); }
    hcs::ComputeSystemDocument document();  // attaches a fresh scratch
    hcs::ProcessParameters command(std::string_view line);

    // One container for one command, to its end; `adapt` may change the parameters.
    CommandResult run(std::string_view line, const std::function<void(hcs::ProcessParameters&)>& adapt = {},
                      base::Source* input = nullptr);
    std::unique_ptr<hcs::ComputeSystem> start_system();

    std::unique_ptr<base::TempDir> directory_;
    HcsBackend backend_;  // ends before its directory
    hcs::ScratchOptions options_;
    int next_scratch_ = 0;
    std::filesystem::path last_scratch_;
};

// The suites; a backend's tests instantiate them.
class ComputeSystemSuite : public HcsConformance {};
class LayerStorageSuite : public HcsConformance {};

std::string content_of(const hcs::RawChange& change);
std::vector<std::string> lines(const std::string& text);  // without their ends and trailing blanks

}  // namespace mullion::test
