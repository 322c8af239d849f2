#include "tree/tar_header.hpp"

#include <gtest/gtest.h>

#include <random>

namespace mullion::tree {
namespace {

// pax(1): "the time is a decimal number of seconds since the Epoch, with a fraction after a period".
TEST(PaxTime, FormatsLikeGo) {
    EXPECT_EQ(format_pax_time({1700000000, 0}), "1700000000");
    EXPECT_EQ(format_pax_time({1700000000, 5}), "1700000000.000000005");
    EXPECT_EQ(format_pax_time({1700000000, 500000000}), "1700000000.5");
    EXPECT_EQ(format_pax_time({1700000000, 123456700}), "1700000000.1234567");
    EXPECT_EQ(format_pax_time({0, 0}), "0");
    EXPECT_EQ(format_pax_time({-1, 0}), "-1");
    EXPECT_EQ(format_pax_time({-1, 500000000}), "-0.5");
    EXPECT_EQ(format_pax_time({-2, 999999999}), "-1.000000001");
}

TEST(PaxTime, ParsesWhatGoReads) {
    EXPECT_EQ(parse_pax_time("1350244992.023960108"), (PaxTime{1350244992, 23960108}));
    EXPECT_EQ(parse_pax_time("1350244992.02396010"), (PaxTime{1350244992, 23960100}));
    EXPECT_EQ(parse_pax_time("1350244992.0239601089"), (PaxTime{1350244992, 23960108}));
    EXPECT_EQ(parse_pax_time("1350244992.3"), (PaxTime{1350244992, 300000000}));
    EXPECT_EQ(parse_pax_time("1350244992."), (PaxTime{1350244992, 0}));
    EXPECT_EQ(parse_pax_time("-1.000000001"), (PaxTime{-2, 999999999}));
    EXPECT_EQ(parse_pax_time("-0.5"), (PaxTime{-1, 500000000}));
}

TEST(PaxTime, RefusesWhatIsNoTime) {
    for (const char* text :
         {"", ".5", "+1", "1.2.3", "1e9", "1.-2", "1.5 ", "0x10", "9999999999999", "99999999999999999999"}) {
        EXPECT_FALSE(parse_pax_time(text)) << text;
    }
}

TEST(PaxTime, ParsesWhatItFormats) {
    std::mt19937_64 random(1);
    for (int i = 0; i < 2000; ++i) {
        PaxTime time{static_cast<std::int64_t>(random() % 40'000'000'000) - 20'000'000'000,
                     static_cast<std::int32_t>(random() % 1'000'000'000)};
        EXPECT_EQ(parse_pax_time(format_pax_time(time)), time);
    }
}

TEST(PaxTime, KeepsFileTimesBefore1970) {
    base::FileTime time{-5'000'001};
    EXPECT_EQ(PaxTime::from(time), (PaxTime{-1, 499999900}));
    EXPECT_EQ(PaxTime::from(time).file_time(), time);
}

// The examples of Go's TestFormatPAXRecord: the length counts itself, also where that adds a digit.
TEST(PaxRecord, LengthCountsItself) {
    auto record = [](std::string_view key, std::string_view value) {
        std::string out;
        append_pax_record(out, key, value);
        return out;
    };
    EXPECT_EQ(record("k", "v"), "6 k=v\n");
    EXPECT_EQ(record("path", "/etc/hosts"), "19 path=/etc/hosts\n");
    EXPECT_EQ(record("key", "a\nb"), "11 key=a\nb\n");
    std::string value(90, 'x');
    EXPECT_EQ(record("path", value), "99 path=" + value + "\n");
    value = std::string(91, 'x');
    EXPECT_EQ(record("path", value), "101 path=" + value + "\n");
}

// Go's TestSplitUSTARPath.
TEST(UstarSplit, CutsWhereGoCuts) {
    std::string name100(100, 'a');
    std::string prefix155(155, 'p');
    EXPECT_EQ(ustar_split(""), std::nullopt);
    EXPECT_EQ(ustar_split(name100), std::nullopt);
    EXPECT_EQ(ustar_split(std::string(98, 'a') + "\xc3\xa9" + "/x"), std::nullopt);
    EXPECT_EQ(ustar_split(prefix155 + "/" + name100), 155u);
    EXPECT_EQ(ustar_split(prefix155 + "/" + name100 + "/"), std::nullopt);
    EXPECT_EQ(ustar_split(std::string("/") + prefix155), std::nullopt);
    EXPECT_EQ(ustar_split(std::string(100, 'a') + "/"), std::nullopt);
    EXPECT_EQ(ustar_split("d/" + name100), 1u);
}

TEST(TarHeader, PlainFileNeedsNoExtendedHeader) {
    std::string out;
    append_tar_header(out, {.name = "a", .size = 8, .mode = 0644, .modified = {1700000000, 0}});
    ASSERT_EQ(out.size(), kTarBlock);
    EXPECT_EQ(out.substr(100, 8), std::string("0000644\0", 8));
    EXPECT_EQ(out.substr(124, 12), std::string("00000000010\0", 12));
    EXPECT_EQ(out.substr(136, 12), std::string("14524770400\0", 12));
    EXPECT_EQ(out.substr(257, 8), std::string("ustar\00000", 8));
}

TEST(TarHeader, LargeSizesAndIdsBecomeRecords) {
    std::string out;
    append_tar_header(out,
                      {.name = "big", .size = std::uint64_t{1} << 33, .uid = 3'000'000, .modified = {-1, 0}});
    ASSERT_EQ(out.size(), 3 * kTarBlock);
    EXPECT_EQ(out[156], 'x');
    EXPECT_EQ(out.substr(kTarBlock, 48),
              "12 mtime=-1\n19 size=8589934592\n15 uid=3000000\n" + std::string(2, '\0'));
}

}  // namespace
}  // namespace mullion::tree
