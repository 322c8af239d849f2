#include "base/leb128.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace mullion::base {
namespace {

TEST(Leb128, WritesTheExamplesOfItsSpecification) {
    for (auto [value, bytes] : {std::pair<std::uint64_t, std::string>{2, "\x02"},
                                {127, "\x7f"},
                                {128, std::string("\x80\x01")},
                                {12857, "\xb9\x64"}}) {
        std::string out;
        append_leb128(out, value);
        EXPECT_EQ(out, bytes);
    }
}

TEST(Leb128, ReadsWhatItWrites) {
    std::string out;
    std::vector<std::uint64_t> values{0, 1, 0x3fff, 0x4000, UINT64_MAX - 1, UINT64_MAX};
    for (std::uint64_t value : values) append_leb128(out, value);
    std::string_view left = out;
    for (std::uint64_t value : values) EXPECT_EQ(take_leb128(left), value);
    EXPECT_TRUE(left.empty());
}

TEST(Leb128, RefusesWhatIsCutShortOrTooLarge) {
    for (std::string bytes : {std::string(), std::string("\x80"), std::string(9, '\xff') + '\x02',
                              std::string(10, '\x80') + '\0'}) {
        std::string_view left = bytes;
        EXPECT_EQ(take_leb128(left), std::nullopt);
    }
}

}  // namespace
}  // namespace mullion::base
