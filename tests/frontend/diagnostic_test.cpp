#include "frontend/diagnostic.hpp"

#include <gtest/gtest.h>

namespace mullion::frontend {
namespace {

TEST(Diagnostic, ExcerptOfTheReference) {
    EXPECT_EQ(excerpt("FROM a\nRUN x\nRUM y\nCMD z\n", {"Dockerfile", 3, 3, 0, 0}),
              "Dockerfile:3\n"
              "--------------------\n"
              "   1 |     FROM a\n"
              "   2 |     RUN x\n"
              "   3 | >>> RUM y\n"
              "   4 |     CMD z\n"
              "--------------------\n");
}

TEST(Diagnostic, SeveralLinesGetLessContext) {
    EXPECT_EQ(excerpt("1\n2\n3\r\n4\n5\n6\n", {"f", 3, 4, 0, 0}),
              "f:3\n"
              "--------------------\n"
              "   2 |     2\n"
              "   3 | >>> 3\n"
              "   4 | >>> 4\n"
              "   5 |     5\n"
              "--------------------\n");
}

TEST(Diagnostic, LinesOutsideTheTextShowNothing) {
    EXPECT_EQ(excerpt("a\n", {"f", 0, 0, 0, 0}), "");
    EXPECT_EQ(excerpt("a\n", {"f", 2, 2, 0, 0}), "");
    EXPECT_NE(excerpt("a\n", {"f", 1, 99, 0, 0}), "");
}

std::string marked(std::string_view text, int first, int last, std::string_view subject) {
    return excerpt(text, narrowed(text, {"f", first, last, 0, 0}, subject));
}

TEST(Diagnostic, CaretUnderTheSubject) {
    EXPECT_EQ(marked("FROM a\nCOPY --form=b x y\n", 2, 2, "--form"),
              "f:2:6\n"
              "--------------------\n"
              "   1 |     FROM a\n"
              "   2 | >>> COPY --form=b x y\n"
              "      |          ^~~~~~\n"
              "--------------------\n");
}

TEST(Diagnostic, CaretOnTheLineThatHoldsTheSubject) {
    EXPECT_EQ(marked("RUN a && \\\n\tbb cc\n", 1, 2, "bb"),
              "f:2:2\n"
              "--------------------\n"
              "   1 |     RUN a && \\\n"
              "   2 | >>> \tbb cc\n"
              "      |     \t^~\n"
              "--------------------\n");
}

TEST(Diagnostic, MonstrousLinesAreCut) {
    const auto line = "RUN " + std::string(100'000, 'x');
    const auto shown = marked(line, 1, 1, "RUN");
    EXPECT_LT(shown.size(), 2'000u);
    EXPECT_NE(shown.find("xxx...\n"), std::string::npos);
    EXPECT_EQ(shown.find('^'), std::string::npos);
}

TEST(Diagnostic, WholeWordsFirst) {
    EXPECT_EQ(narrowed("COPY ab a C:/", {"f", 1, 1, 0, 0}, "a"), (base::SourceRange{"f", 1, 1, 9, 9}));
    EXPECT_EQ(narrowed("COPY cab C:/", {"f", 1, 1, 0, 0}, "a"), (base::SourceRange{"f", 1, 1, 7, 7}));
}

TEST(Diagnostic, SlashesAndCaseDoNotMatter) {
    EXPECT_EQ(narrowed("COPY .\\Src\\App.exe C:/", {"f", 1, 1, 0, 0}, "src/app.exe"),
              (base::SourceRange{"f", 1, 1, 8, 18}));
}

TEST(Diagnostic, ColumnsCountCharacters) {
    EXPECT_EQ(narrowed("COPY \u00e9\u00e9 b", {"f", 1, 1, 0, 0}, "b"), (base::SourceRange{"f", 1, 1, 9, 9}));
}

TEST(Diagnostic, WithoutSubjectTheWholeLineOrNothing) {
    EXPECT_EQ(narrowed("  RUM y ", {"f", 1, 1, 0, 0}, ""), (base::SourceRange{"f", 1, 1, 3, 7}));
    EXPECT_EQ(narrowed("RUN a \\\nb\n", {"f", 1, 2, 0, 0}, "nowhere"), (base::SourceRange{"f", 1, 2, 0, 0}));
    EXPECT_EQ(narrowed("", {"f", 1, 1, 0, 0}, "x"), (base::SourceRange{"f", 1, 1, 0, 0}));
}

}  // namespace
}  // namespace mullion::frontend
