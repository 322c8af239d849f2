#include "base/error.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace mullion::base {
namespace {

TEST(Error, WhatReadsFromTheOutsideIn) {
    try {
        with_context([] { return "building app"; },
                     [] {
                         with_context([] { return "unpacking layer 3"; },
                                      [] { throw fail(ErrorCode::NotFound, "no blob {}", 7); });
                     });
        FAIL();
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "building app: unpacking layer 3: no blob 7");
        ASSERT_EQ(error.frames().size(), 3u);
        EXPECT_EQ(error.frames()[0].text, "no blob 7");
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
    }
}

TEST(Error, FramesKnowWhereTheyWereWritten) {
    Error error = fail(ErrorCode::Io, "x");
    EXPECT_NE(std::string(error.frames()[0].where.file_name()).find("error_test.cpp"), std::string::npos);
    EXPECT_EQ(error.frames()[0].where.line(), static_cast<unsigned>(__LINE__ - 2));
}

TEST(Error, ContextIsBuiltOnlyOnFailure) {
    bool built = false;
    int value = with_context(
        [&] {
            built = true;
            return "never";
        },
        [] { return 42; });
    EXPECT_EQ(value, 42);
    EXPECT_FALSE(built);
}

TEST(Error, InnermostSourceRangeAndHintWin) {
    Error error(ErrorCode::Invalid, "x");
    error.at({"a", 1, 1, 0, 0}).at({"b", 2, 2, 0, 0});
    error.hint("first").hint("second");
    EXPECT_EQ(error.source()->file, "a");
    EXPECT_EQ(error.hint(), "first");
}

TEST(Error, KeepsAFull32BitExitStatus) {
    Error error(ErrorCode::Process, "x");
    error.process(3221225477u, "tail");
    EXPECT_EQ(error.exit_status(), 3221225477u);
    EXPECT_EQ(error.output_tail(), "tail");
}

TEST(Error, OtherExceptionsPassContextUntouched) {
    EXPECT_THROW(with_context([] { return "x"; }, [] { throw std::runtime_error("plain"); }),
                 std::runtime_error);
}

TEST(Error, ErrnoDecidesTheCode) {
    const std::pair<int, ErrorCode> expected[] = {
        {ENOENT, ErrorCode::NotFound},
        {EEXIST, ErrorCode::Exists},
        {EACCES, ErrorCode::Denied},
        {EROFS, ErrorCode::Denied},
        {ENOSPC, ErrorCode::Exhausted},
#ifdef EDQUOT
        {EDQUOT, ErrorCode::Exhausted},
#endif
        {EAGAIN, ErrorCode::Exhausted},
        {EMFILE, ErrorCode::Exhausted},
        {ELOOP, ErrorCode::Invalid},
        {ENOSYS, ErrorCode::Unsupported},
        {ETIMEDOUT, ErrorCode::TimedOut},
        {EBUSY, ErrorCode::Unavailable},
        {EIO, ErrorCode::Io},
    };
    for (auto [number, code] : expected) EXPECT_EQ(system_error(number, "x").code(), code) << number;
}

TEST(Error, SystemErrorNamesWhatAndWhy) {
    Error error = system_error(ENOSPC, "cannot write /x");
    EXPECT_STREQ(error.what(), "cannot write /x: No space left on device");
    EXPECT_EQ(error.system().value(), ENOSPC);
}

TEST(Error, EveryCodeHasAName) {
    for (int code = 0; code <= static_cast<int>(ErrorCode::Internal); ++code) {
        EXPECT_STRNE(to_string(static_cast<ErrorCode>(code)), "unknown") << code;
    }
}

}  // namespace
}  // namespace mullion::base
