// A state directory for a test, and real processes that use it.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "cache/state.hpp"

namespace mullion::cache::testing {

namespace fs = std::filesystem;

class StateFixture : public ::testing::Test {
  protected:
    fs::path state() const { return directory_.path() / "state"; }
    fs::path path(std::string_view name) const { return directory_.path() / name; }

  private:
    base::TempDir directory_{fs::temp_directory_path(), "cache-test"};
};

inline base::ErrorCode code_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const base::Error& error) {
        return error.code();
    }
    return base::ErrorCode::Internal;
}

inline base::Digest key(int number) {
    return base::Digest::of("key " + std::to_string(number));
}

inline oci::Descriptor descriptor(const base::Digest& digest, std::uint64_t size,
                                  std::string type = "text/plain") {
    return {.media_type = std::move(type), .digest = digest, .size = size};
}

inline std::string read(ContentStore& store, const base::Digest& digest) {
    auto size = store.size_of(digest);
    if (!size) return "(absent)";
    return store.open(descriptor(digest, *size), {})->read_all(64 << 20, "blob");
}

// Runs `body` in a child of its own; a failure there ends it with code 1 and is printed. No gtest assertions
// inside: use require().
inline pid_t start(const std::function<void()>& body) {
    pid_t child = ::fork();
    if (child != 0) return child;
    try {
        body();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "in a child: %s\n", error.what());
        ::_exit(1);
    }
    ::_exit(0);
}

inline void require(bool condition, const std::string& what) {
    if (!condition) throw std::runtime_error("not true: " + what);
}

inline int wait_for(pid_t child) {
    int status = -1;
    ::waitpid(child, &status, 0);
    return status;
}

// Runs `body(i)` in `count` processes at once and expects all to succeed.
inline void run_processes(int count, const std::function<void(int)>& body) {
    std::vector<pid_t> children;
    for (int i = 0; i < count; ++i) children.push_back(start([&] { body(i); }));
    for (pid_t child : children) EXPECT_EQ(wait_for(child), 0);
}

inline std::size_t live_sessions(const fs::path& state) {
    return base::list_directory(state / "tmp").size();
}

}  // namespace mullion::cache::testing
