// Permission tests for root, who may do everything: the body runs in a child that is an ordinary user.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <functional>

namespace mullion::test {

// Expects `body` to return true. If we are root, `as_root_before` runs first in the same child.
inline void expect_as_nobody(const std::function<bool()>& body,
                             const std::function<void()>& as_root_before = {}) {
    constexpr unsigned kNobody = 65534;
    pid_t child = ::fork();
    if (child == 0) {
        if (::geteuid() == 0 && as_root_before) as_root_before();
        if (::geteuid() == 0 && (::setgid(kNobody) != 0 || ::setuid(kNobody) != 0)) ::_exit(2);
        try {
            ::_exit(body() ? 0 : 1);
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
            ::_exit(3);
        }
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
}

}  // namespace mullion::test
