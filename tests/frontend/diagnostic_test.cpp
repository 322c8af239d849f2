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

}  // namespace
}  // namespace mullion::frontend
