// Running a host program (git, cp, ...): argument vector, never a shell. Killed with its group when canceled
// or on the deadline; killed when we die. What it left running in its group is killed when it exits.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.hpp"

namespace mullion::base {

struct ProcessOptions {
    std::vector<std::string> argv;  // argv[0] is looked up in PATH unless it has a slash; on Windows an .exe
    std::filesystem::path directory;
    std::optional<std::map<std::string, std::string>> environment;  // nullopt: ours
    std::string input;                                              // given on stdin
    std::function<void(std::string_view)> on_stdout;                // called on the caller's thread
    std::function<void(std::string_view)> on_stderr;
    std::optional<std::chrono::milliseconds> time_limit;
    // The program's set-user-ID and set-group-ID bits mean nothing. A program that gains rights by them is
    // not killed when we die.
    bool no_new_privileges = false;
};

// Where that program lies in PATH; nullopt if nowhere. On Windows an .exe, and never in the current
// directory.
std::optional<std::filesystem::path> find_program(const std::string& name);

// The exit code, or 128 + signal where there are signals. Throws NotFound (no such program), Canceled,
// TimedOut.
int run_process(const ProcessOptions& options, const CancelToken& cancel);

struct ProcessOutput {
    int exit_code = 0;
    std::string out;
    std::string err;
};
// Collects both streams, each cut at `limit` bytes.
ProcessOutput run_and_capture(ProcessOptions options, const CancelToken& cancel,
                              std::size_t limit = 16 << 20);

}  // namespace mullion::base
