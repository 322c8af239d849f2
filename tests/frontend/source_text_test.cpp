#include "frontend/source_text.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::described;
using test::error_of;

struct Line {
    std::string text;
    int first;
    int last;
    bool operator==(const Line&) const = default;
};

void PrintTo(const Line& line, std::ostream* out) {
    *out << line.first << "-" << line.last << " '" << line.text << "'";
}

std::vector<Line> lines(std::string_view text) {
    SourceText source(text, "Dockerfile");
    std::vector<Line> out;
    while (const auto line = source.next())
        out.push_back({std::string(line->text), line->first_line, line->last_line});
    return out;
}

char escape_of(std::string_view text) {
    SourceText source(text, "Dockerfile");
    while (source.next()) {
    }
    return source.directives().escape;
}

TEST(SourceText, TakesOneByteOrderMarkAndAnyRunOfLineEnds) {
    EXPECT_EQ(lines("\xEF\xBB\xBF"
                    "FROM a\r\n\r\nRUN b\r\r\n"),
              (std::vector<Line>{{"FROM a", 1, 1}, {"RUN b", 3, 3}}));
    EXPECT_EQ(lines("FROM a\n\xEF\xBB\xBF"
                    "RUN b"),
              (std::vector<Line>{{"FROM a", 1, 1},
                                 {"\xEF\xBB\xBF"
                                  "RUN b",
                                  2, 2}}));
    EXPECT_EQ(lines("RUN a\rb"), (std::vector<Line>{{"RUN a\rb", 1, 1}}));
}

TEST(SourceText, StripsLeadingSpaceOfTheFirstLineOnly) {
    EXPECT_EQ(lines("  \u00a0RUN a \\\n   b  \nX"), (std::vector<Line>{{"RUN a    b  ", 1, 2}, {"X", 3, 3}}));
}

TEST(SourceText, ContinuesAtALoneEscapeCharacterBeforeBlanks) {
    EXPECT_EQ(lines("RUN a\\ \t\nb"), (std::vector<Line>{{"RUN ab", 1, 2}}));
    EXPECT_EQ(lines("RUN a\\\\\nb"), (std::vector<Line>{{"RUN a\\\\", 1, 1}, {"b", 2, 2}}));
    EXPECT_EQ(lines("RUN a\\\\\\\nb"), (std::vector<Line>{{"RUN a\\\\\\", 1, 1}, {"b", 2, 2}}));
    EXPECT_EQ(lines("\\\nRUN a"), (std::vector<Line>{{"RUN a", 1, 2}}));
    EXPECT_EQ(lines("RUN a\\"), (std::vector<Line>{{"RUN a", 1, 1}}));
    EXPECT_EQ(lines("RUN a\\\u00a0\nb"), (std::vector<Line>{{"RUN a\\\u00a0", 1, 1}, {"b", 2, 2}}));
}

TEST(SourceText, SkipsCommentsAndBlankLinesInsideAnInstruction) {
    SourceText source("RUN a \\\n# no\n\n  # neither \\\n b\nCMD c", "Dockerfile");
    const auto run = source.next();
    EXPECT_EQ(run->text, "RUN a  b");
    EXPECT_EQ(run->last_line, 5);
    EXPECT_TRUE(run->empty_continuation);
    const auto cmd = source.next();
    EXPECT_EQ(cmd->first_line, 6);
    EXPECT_FALSE(cmd->empty_continuation);
}

TEST(SourceText, ACommentAloneIsNoEmptyContinuation) {
    SourceText source("RUN a \\\n# no\nb", "Dockerfile");
    EXPECT_FALSE(source.next()->empty_continuation);
}

TEST(SourceText, KeepsTheCommentsDirectlyAbove) {
    SourceText source("# escape=`\n# one\n\n#two \nFROM a\n# gone\n#\n# three\nRUN b", "Dockerfile");
    EXPECT_EQ(source.next()->comments, (std::vector<std::string>{"one", "two"}));
    EXPECT_EQ(source.next()->comments, (std::vector<std::string>{"three"}));
}

TEST(SourceText, ReadsDirectivesOnlyAtTheTop) {
    EXPECT_EQ(escape_of("# escape=`\nFROM a"), '`');
    EXPECT_EQ(escape_of(" #\tEsCaPe = ` \nFROM a"), '`');
    EXPECT_EQ(escape_of("# syntax=x\n# check=skip=all\n# escape=`\nFROM a"), '`');
    EXPECT_EQ(escape_of("\n# escape=`\nFROM a"), '\\');
    EXPECT_EQ(escape_of("# hello\n# escape=`\nFROM a"), '\\');
    EXPECT_EQ(escape_of("# unknown=1\n# escape=`\nFROM a"), '\\');
    EXPECT_EQ(escape_of("# escape=\n# escape=`\nFROM a"), '\\');
    EXPECT_EQ(escape_of("#! /bin/x\n# escape=`\nFROM a"), '\\');
    EXPECT_EQ(escape_of("FROM a\n# escape=`\nRUN b"), '\\');
}

TEST(SourceText, EscapeTakesEffectFromTheNextLine) {
    EXPECT_EQ(lines("# escape=`\nRUN a`\nb\nRUN c\\\nd"),
              (std::vector<Line>{{"RUN ab", 2, 3}, {"RUN c\\", 4, 4}, {"d", 5, 5}}));
}

TEST(SourceText, RefusesBadDirectivesWithTheirLine) {
    EXPECT_EQ(described(error_of([] { lines("# syntax=a\n# escape=x\nFROM a"); })),
              "2: invalid escape token 'x' does not match ` or \\");
    EXPECT_EQ(described(error_of([] { lines("# escape=`\n# Escape=`\nFROM a"); })),
              "2: only one escape parser directive can be used");
}

TEST(SourceText, SyntaxIsTheValueUpToASpace) {
    SourceText source("# syntax=docker/dockerfile:1 x\nFROM a", "Dockerfile");
    source.next();
    EXPECT_EQ(source.directives().syntax, "docker/dockerfile:1");
}

TEST(SourceText, HeredocBodyIsRawUpToTheTerminator) {
    SourceText source("RUN <<E\n# x\\\n\n  E\nE \nE\r\nCMD", "Dockerfile");
    source.next();
    EXPECT_EQ(source.heredoc_body("E", false), "# x\\\n\n  E\nE \n");
    EXPECT_EQ(source.next()->first_line, 7);
}

TEST(SourceText, ChompedTerminatorMayStandBehindTabs) {
    SourceText source("RUN <<-E\n\ta\n\t\tE\nX", "Dockerfile");
    source.next();
    EXPECT_EQ(source.heredoc_body("E", true), "\ta\n");
    SourceText strict("RUN <<E\n\tE\n", "Dockerfile");
    strict.next();
    EXPECT_EQ(strict.heredoc_body("E", false), std::nullopt);
}

TEST(SourceText, StopsAtALineLongerThanTheLimit) {
    const std::string longest(SourceText::kMaxLine - 4, 'x');
    EXPECT_EQ(lines("RUN " + longest + "\nCMD").size(), 2u);
    const auto text = "A\nRUN " + longest + "y\nCMD";
    SourceText source(text, "Dockerfile");
    EXPECT_TRUE(source.next());
    EXPECT_FALSE(source.next());
    EXPECT_TRUE(source.stopped_at_long_line());
}

TEST(SourceText, RefusesHugeFiles) {
    const std::string text(SourceText::kMaxSize + 1, '\n');
    EXPECT_EQ(error_of([&] { SourceText(text, "Dockerfile"); }).code(), base::ErrorCode::Invalid);
}

}  // namespace
}  // namespace mullion::frontend
