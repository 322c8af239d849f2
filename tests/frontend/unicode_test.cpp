#include "frontend/unicode.hpp"

#include <gtest/gtest.h>

namespace mullion::frontend {
namespace {

using namespace std::string_literals;

TEST(Unicode, QuoteKeepsWhatPrintsAndEscapesTheRest) {
    EXPECT_EQ(quote("a b\"c\\d"), R"("a b\"c\\d")");
    EXPECT_EQ(quote("\a\b\f\n\r\t\v"), R"("\a\b\f\n\r\t\v")");
    EXPECT_EQ(quote("é日"), "\"é日\"");
    EXPECT_EQ(quote("\u00a0\u200b\u3000\ufeff"), R"("\u00a0\u200b\u3000\ufeff")");
    EXPECT_EQ(quote("\x01\x7f"), R"("\x01\x7f")");
    EXPECT_EQ(quote("\U000E0001"), R"("\U000e0001")");
    EXPECT_EQ(quote("\xff"), R"("\xff")");
}

TEST(Unicode, DecodeRefusesOverlongSurrogatesAndTruncation) {
    for (const auto& bytes :
         {"\xC0\x80"s, "\xED\xA0\x80"s, "\xF4\x90\x80\x80"s, "\xE2\x82"s, "\x80"s, "\xF8"s}) {
        const auto decoded = decode(bytes);
        EXPECT_FALSE(decoded.valid);
        EXPECT_EQ(decoded.width, 1u);
        EXPECT_EQ(decoded.code_point, kReplacement);
    }
    EXPECT_EQ(decode("\xF0\x9F\x98\x80").code_point, 0x1F600u);
}

TEST(Unicode, EncodingUndoesDecoding) {
    for (const char32_t c : {U'a', U'\u00e9', U'\u65e5', U'\U0001F600', U'\U0010FFFF'}) {
        std::string text;
        append_utf8(text, c);
        EXPECT_EQ(decode(text).code_point, c);
        EXPECT_EQ(decode(text).width, text.size());
    }
}

TEST(Unicode, LowerCaseIsSimpleAndLocaleIndependent) {
    EXPECT_EQ(lower("ÄÖÜ Σ İ K Ǆ"), "äöü σ i k ǆ");
    EXPECT_EQ(lower("WOR\u212ADIR\xff"), "workdir\xff");
    EXPECT_EQ(to_lower(0x10400), 0x10428u);
    EXPECT_EQ(to_lower(0x1E9E), 0xDFu);
}

TEST(Unicode, TrimTakesWideSpacesAtBothEnds) {
    EXPECT_EQ(trim("\u00a0 x y\u3000\t"), "x y");
    EXPECT_EQ(trim("\u2003\u2028"), "");
    EXPECT_EQ(trim("\xff \xff"), "\xff \xff");
}

}  // namespace
}  // namespace mullion::frontend
