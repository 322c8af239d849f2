// For tests that ask programs of a POSIX host (gzip, tar, Python...) what they think of our work.
#pragma once

#include <gtest/gtest.h>

// At the beginning of a test, which ends there on Windows.
#ifdef _WIN32
#define MULLION_NEEDS_HOST_TOOLS() GTEST_SKIP() << "Windows has no such programs"
#else
#define MULLION_NEEDS_HOST_TOOLS() static_cast<void>(0)
#endif
