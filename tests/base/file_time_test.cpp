#include "base/file_time.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "base/error.hpp"

namespace mullion::base {
namespace {

// Seconds from `date -u -d TEXT +%s`.
TEST(FileTime, ParsesWhatDocumentsHold) {
    EXPECT_EQ(FileTime::parse_rfc3339("1970-01-01T00:00:00Z").ticks, 0);
    EXPECT_EQ(FileTime::parse_rfc3339("2024-05-06T07:08:09Z").seconds(), 1714979289);
    EXPECT_EQ(FileTime::parse_rfc3339("2024-05-06T07:08:09.123Z").ticks, 17149792891230000);
    EXPECT_EQ(FileTime::parse_rfc3339("2024-05-06T07:08:09.123456789Z").ticks, 17149792891234567);
    EXPECT_EQ(FileTime::parse_rfc3339("2024-05-06t09:38:09+02:30").seconds(), 1714979289);
    EXPECT_EQ(FileTime::parse_rfc3339("2024-05-05T23:08:09-08:00").seconds(), 1714979289);
    EXPECT_EQ(FileTime::parse_rfc3339("1601-01-01T00:00:00Z").ticks, -FileTime::kFiletimeOffset);
    EXPECT_EQ(FileTime::parse_rfc3339("0001-01-01T00:00:00Z").seconds(), -62135596800);
    EXPECT_EQ(FileTime::parse_rfc3339("2000-02-29T00:00:00Z").seconds(), 951782400);
}

TEST(FileTime, RefusesWhatIsNotRfc3339) {
    for (const char* bad : {"",
                            "2024-05-06",
                            "2024-05-06T07:08:09",
                            "2024-05-06T07:08:09z+01:00",
                            "2024-13-06T07:08:09Z",
                            "2023-02-29T00:00:00Z",
                            "2024-05-06T24:08:09Z",
                            "2024-05-06T07:60:09Z",
                            "2024-05-06T07:08:61Z",
                            "2024-05-06T-7:08:09Z",
                            "2024-05-06T 7:08:09Z",
                            "2024-05-06T+7:08:09Z",
                            "-024-05-06T07:08:09Z",
                            "2024-05-06T07:08:09.Z",
                            "2024-05-06T07:08:09+2:30",
                            "2024-05-06T07:08:09+24:00",
                            "2024-05-06T07:08:09+02:60",
                            "2024-05-06T07:08:09+-1:00",
                            "2024-05-06T07:08:09Z ",
                            "12024-05-06T07:08:09Z",
                            "2024-05-06X07:08:09Z"}) {
        EXPECT_THROW(FileTime::parse_rfc3339(bad), Error) << bad;
    }
    EXPECT_THROW(FileTime::parse_rfc3339("2024-05-06T07:08:09." + std::string(100'000, '1') + "Z"), Error);
    EXPECT_THROW(FileTime::parse_rfc3339(std::string("2024-05-06T07:08:09Z\0Z", 22)), Error);
}

TEST(FileTime, WritesShortestText) {
    EXPECT_EQ(FileTime::from_seconds(1714979289).rfc3339(), "2024-05-06T07:08:09Z");
    EXPECT_EQ((FileTime{17149792891230000}.rfc3339()), "2024-05-06T07:08:09.123Z");
    EXPECT_EQ((FileTime{1}.rfc3339()), "1970-01-01T00:00:00.0000001Z");
    EXPECT_EQ((FileTime{-1}.rfc3339()), "1969-12-31T23:59:59.9999999Z");
}

TEST(FileTime, TextRoundTrips) {
    for (std::int64_t ticks :
         {0ll, 1ll, -1ll, 17149792891234567ll, -116444736000000000ll, 9999999ll, 10000001ll}) {
        EXPECT_EQ(FileTime::parse_rfc3339(FileTime{ticks}.rfc3339()).ticks, ticks);
    }
}

TEST(FileTime, TimespecRoundsDownAndKeepsNegativeTimes) {
    timespec time{-1, 999'999'900};
    EXPECT_EQ(FileTime::from_timespec(time).ticks, -1);
    timespec back = FileTime{-1}.to_timespec();
    EXPECT_EQ(back.tv_sec, -1);
    EXPECT_EQ(back.tv_nsec, 999'999'900);
    EXPECT_EQ(FileTime::from_timespec({5, 199}).ticks, 50'000'001);
}

TEST(FileTime, TimesOutOfRangeAreClamped) {
    timespec far{std::numeric_limits<std::int64_t>::max(), 999'999'999};
    timespec past{std::numeric_limits<std::int64_t>::min(), 0};
    EXPECT_GT(FileTime::from_timespec(far).ticks, 9'000'000'000'000'000'000);
    EXPECT_LT(FileTime::from_timespec(past).ticks, -9'000'000'000'000'000'000);
    EXPECT_EQ(FileTime::from_timespec(far).rfc3339().empty(), false);
}

}  // namespace
}  // namespace mullion::base
