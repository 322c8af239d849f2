#include "cli/display_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/byte_text.hpp"

namespace mullion::cli {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ShownLine, PlainTextStays) {
    EXPECT_EQ(shown_line("Grüße, 世界 C:\\x"), "Grüße, 世界 C:\\x");
    EXPECT_EQ(shown_line(""), "");
}

TEST(ShownLine, EscapeSequencesAreDropped) {
    EXPECT_EQ(shown_line("\x1b[1;31mred\x1b[0m"), "red");
    EXPECT_EQ(shown_line("a\x1b[2J\x1b[Hb"), "ab");
    EXPECT_EQ(shown_line("\x1b]0;title\x07text"), "text");
    EXPECT_EQ(shown_line("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\"), "link");
    EXPECT_EQ(shown_line("\x1b"
                         "c"
                         "reset"),
              "reset");
}

TEST(ShownLine, UnfinishedEscapeSequencesAreDropped) {
    for (const char* text : {"a\x1b", "a\x1b[", "a\x1b[1;", "a\x1b]0;title", "a\x1b]0;t\x1b"}) {
        EXPECT_EQ(shown_line(text), "a");
    }
}

TEST(ShownLine, ControlCharactersAreReplaced) {
    EXPECT_EQ(shown_line("a\bb\ac\x7f"),
              "a\xef\xbf\xbd"
              "b\xef\xbf\xbd"
              "c\xef\xbf\xbd");
    EXPECT_EQ(shown_line(std::string_view("\0", 1)), "\xef\xbf\xbd");
    EXPECT_EQ(shown_line("\xc2\x9b"
                         "31m"),
              "\xef\xbf\xbd"
              "31m")
        << "CSI as one C1 character";
    EXPECT_EQ(shown_line("\xe2\x80\xae"
                         "x"),
              "\xef\xbf\xbdx")
        << "right-to-left override";
}

TEST(ShownLine, BytesThatAreNotUtf8AreReplaced) {
    EXPECT_EQ(shown_line("\xff"), "\xef\xbf\xbd");
    EXPECT_EQ(shown_line("\xe4 OEM"), "\xef\xbf\xbd OEM");
    EXPECT_EQ(shown_line("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd") << "overlong";
    EXPECT_EQ(shown_line("\xed\xa0\x80").substr(0, 3), "\xef\xbf\xbd") << "surrogate";
}

TEST(ShownLine, CarriageReturnsOverwrite) {
    EXPECT_EQ(shown_line("10%\r20%\r30%"), "30%");
    EXPECT_EQ(shown_line("text\r"), "text");
    EXPECT_EQ(shown_line("text\r\r"), "text");
    EXPECT_EQ(shown_line("\r"), "");
}

TEST(ShownLine, TabsReachTheNextStop) {
    EXPECT_EQ(shown_line("\tx"), "        x");
    EXPECT_EQ(shown_line("abc\tx"), "abc     x");
    EXPECT_EQ(shown_line("12345678\tx"), "12345678        x");
}

TEST(DisplayWidth, CountsColumns) {
    EXPECT_EQ(display_width("abc"), 3u);
    EXPECT_EQ(display_width("ü"), 1u);
    EXPECT_EQ(display_width("世界"), 4u);
    EXPECT_EQ(display_width("e\xcc\x81"), 1u) << "combining acute";
}

TEST(Fit, CutsToTheWidth) {
    EXPECT_EQ(fit("abcdef", 6), "abcdef");
    EXPECT_EQ(fit("abcdefg", 6), "abc...");
    EXPECT_EQ(fit("世界世界", 6), "世...");
    EXPECT_EQ(fit("abcdef", 3), "abc");
    EXPECT_EQ(fit("abcdef", 0), "");
    for (std::size_t width = 0; width < 20; ++width) {
        EXPECT_LE(display_width(fit("a世b界c世d界 and more text", width)), width);
    }
}

TEST(LineBuffer, LinesComeTogetherFromAnyCut) {
    const std::string text = "eins\r\nzwei \xe4\xb8\x96\nrest";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        LineBuffer buffer;
        std::vector<std::string> lines = buffer.add(text.substr(0, cut));
        for (std::string& line : buffer.add(text.substr(cut))) lines.push_back(std::move(line));
        EXPECT_THAT(lines, ElementsAre("eins", "zwei \xe4\xb8\x96"));
        EXPECT_EQ(buffer.rest(), "rest");
        EXPECT_EQ(buffer.flush(), "rest");
        EXPECT_EQ(buffer.flush(), "");
    }
}

TEST(LineBuffer, EmptyLinesCount) {
    LineBuffer buffer;
    EXPECT_THAT(buffer.add("\n\nx\n"), ElementsAre("", "", "x"));
    EXPECT_THAT(buffer.add(""), IsEmpty());
}

TEST(LineBuffer, EndlessLineIsBrokenBetweenCharacters) {
    LineBuffer buffer;
    std::string glyph = "\xe4\xb8\x96";
    std::string text;
    for (int i = 0; i < 100'000; ++i) text += glyph;
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size(); at += 1000) {
        for (std::string& line : buffer.add(text.substr(at, 1000))) lines.push_back(std::move(line));
    }
    lines.push_back(buffer.flush());
    std::string joined;
    for (const std::string& line : lines) {
        EXPECT_LE(line.size(), 64u << 10);
        joined += line;
    }
    EXPECT_EQ(joined, text);
}

TEST(ShownBytes, UsesDecimalUnits) {
    EXPECT_EQ(shown_bytes(0), "0B");
    EXPECT_EQ(shown_bytes(999), "999B");
    EXPECT_EQ(shown_bytes(1500), "1.50kB");
    EXPECT_EQ(shown_bytes(23'000'000), "23.00MB");
    EXPECT_EQ(shown_bytes(9'000'000'000'000'000), "9000.00TB");
}

}  // namespace
}  // namespace mullion::cli
