// Real processes that use one state.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace mullion::cache::testing {

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

}  // namespace mullion::cache::testing
