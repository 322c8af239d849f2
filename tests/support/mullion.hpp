// Drives the built program as a user would: a workspace of files, a state directory of its own, captured
// output.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "base/process.hpp"

namespace mullion::test {

// True if this machine lets us run containers; otherwise `reason` says why not, for GTEST_SKIP.
bool can_run_containers(std::string& reason);

// A temporary directory with the files of one test and the state directories it uses. The prepared Wine layer
// is shared between all tests of a build tree: making one takes many seconds.
class Workspace {
  public:
    Workspace();

    std::filesystem::path path(std::string_view name = {}) const;
    // Makes parents.
    void write(std::string_view name, std::string_view data) const;
    std::string read(std::string_view name) const;

    // A fresh state directory sharing the Wine layer; the first one is the default for run().
    std::filesystem::path make_state(std::string_view name) const;
    void use_state(std::filesystem::path state) { state_ = std::move(state); }
    const std::filesystem::path& state() const { return state_; }
    // Without this, every registry is one that nobody answers for: tests stay on this machine.
    void use_registries() const;
    // The program itself.
    static std::string program();
    void set_environment(const std::string& name, const std::string& value) { environment_[name] = value; }

    // mullion ARGS, in the workspace directory. `prefix` comes before the program ("setpriv", ...).
    base::ProcessOutput run(std::vector<std::string> args, std::vector<std::string> prefix = {}) const;
    // Any other program.
    base::ProcessOutput tool(std::vector<std::string> argv) const;

    // The stand-in base image as an OCI layout at path("base"), and the option that puts it in for "base".
    std::string base_context() const;

  private:
    std::map<std::string, std::string> environment() const;
    base::TempDir directory_;
    std::filesystem::path state_;
    std::map<std::string, std::string> environment_;
};

}  // namespace mullion::test
