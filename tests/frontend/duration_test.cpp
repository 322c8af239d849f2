#include "frontend/duration.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

TEST(Duration, FormatsAsHistoriesDo) {
    using namespace std::chrono_literals;
    EXPECT_EQ(format_duration(0s), "0s");
    EXPECT_EQ(format_duration(5s), "5s");
    EXPECT_EQ(format_duration(90s), "1m30s");
    EXPECT_EQ(format_duration(1h), "1h0m0s");
    EXPECT_EQ(format_duration(1500ms), "1.5s");
    EXPECT_EQ(format_duration(250ms), "250ms");
    EXPECT_EQ(format_duration(1500us), "1.5ms");
    EXPECT_EQ(format_duration(1500ns), "1.5µs");
    EXPECT_EQ(format_duration(7ns), "7ns");
}

TEST(Duration, ParsesSumsOfUnits) {
    using namespace std::chrono_literals;
    EXPECT_EQ(parse_duration("1h2m3.5s"), 1h + 2min + 3500ms);
    EXPECT_EQ(parse_duration("0"), 0s);
    EXPECT_EQ(parse_duration("100us"), 100us);
    EXPECT_EQ(parse_duration("-1.5s"), -1500ms);
    for (const auto* text : {"", "5", "5x", "s", ".s", "1..2s", "99999999999h"})
        EXPECT_EQ(test::error_of([&] { parse_duration(text); }).code(), base::ErrorCode::Invalid) << text;
}

}  // namespace
}  // namespace mullion::frontend
