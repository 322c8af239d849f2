// --fix: what is repaired, what is left to people, and that nothing else changes.
#include <gmock/gmock.h>

#include "frontend/lint_fix.hpp"
#include "lint_support.hpp"

namespace mullion::frontend {
namespace {

using testing::IsEmpty;

std::string fixed(std::string_view text) {
    Options options;
    options.platform = options.build_platform = oci::Platform::parse("windows/amd64");
    AssumedImages images;
    const auto once = fix(text, options, images, {});
    const auto twice = fix(once.text, options, images, {});
    EXPECT_EQ(twice.text, once.text);
    EXPECT_EQ(twice.fixed, 0u);
    EXPECT_EQ(once.fixed == 0, once.text == text);
    return once.text;
}

void expect_untouched(const std::string& text) {
    EXPECT_EQ(fixed(text), text);
}

TEST(LintFix, CasingOfStagesKeywordsAndInstructions) {
    EXPECT_EQ(fixed("FROM base as Build\nrun x\nFROM base\nCOPY --from=Build a C:/\n"),
              "FROM base AS build\nRUN x\nFROM base\nCOPY --from=Build a C:/\n");
}

TEST(LintFix, OneRepairMayNeedAnother) {
    EXPECT_EQ(fixed("FROM base AS a\nrun x\nrun y\n"), "from base as a\nrun x\nrun y\n");
}

TEST(LintFix, WordsOnContinuedLines) {
    EXPECT_EQ(fixed("FROM base \\\n  # comment\n  as \\\n  Build\nRUN x\n"),
              "FROM base \\\n  # comment\n  AS \\\n  build\nRUN x\n");
}

TEST(LintFix, LineEndsAndByteOrderMarkStay) {
    EXPECT_EQ(fixed("\xEF\xBB\xBF"
                    "from base as A\r\nRUN x\r\nRUN y\r\n"),
              "\xEF\xBB\xBF"
              "FROM base AS a\r\nRUN x\r\nRUN y\r\n");
}

TEST(LintFix, BlankLinesOfContinuations) {
    EXPECT_EQ(fixed("FROM base\nRUN a && \\\n\n  \n  b\n\nRUN c\n"),
              "FROM base\nRUN a && \\\n  b\n\nRUN c\n");
}

TEST(LintFix, HeredocsAreNoContinuations) {
    EXPECT_EQ(fixed("FROM base\nCOPY \\\n\n  <<E C:/x\na\n\nb\nE\n"),
              "FROM base\nCOPY \\\n  <<E C:/x\na\n\nb\nE\n");
}

TEST(LintFix, LegacyKeyValues) {
    EXPECT_EQ(fixed("FROM base\nARG X=1\nENV A  b\nENV B  two  words $X \nLABEL c d\n"),
              "FROM base\nARG X=1\nENV A=b\nENV B=\"two  words $X\" \nLABEL c=d\n");
}

TEST(LintFix, QuotesAndEscapesInLegacyValuesAreLeftAlone) {
    expect_untouched("FROM base\nENV A \"b\" c\n");
    expect_untouched("FROM base\nENV A it's'\n");
    expect_untouched("FROM base\nENV A C:\\\\x\n");
    expect_untouched("FROM base\nENV A b \\\n  c\n");
}

TEST(LintFix, BackslashesAreNoEscapesWhereTheDirectiveSaysSo) {
    EXPECT_EQ(fixed("# escape=`\nFROM base\nENV HOME C:\\my home\nENV JAVA C:\\java\n"),
              "# escape=`\nFROM base\nENV HOME=\"C:\\my home\"\nENV JAVA=C:\\java\n");
    expect_untouched("# escape=`\nFROM base\nENV A b` c\n");
}

TEST(LintFix, EveryKindOfWhiteSpaceSeparatesWords) {
    EXPECT_EQ(fixed("FROM base\nENV A b\u00a0c\n"), "FROM base\nENV A=\"b\u00a0c\"\n");
}

TEST(LintFix, Ports) {
    EXPECT_EQ(fixed("FROM base\nARG P=80/TCP\nEXPOSE 80/TCP 8080:81/Udp $P\n"),
              "FROM base\nARG P=80/TCP\nEXPOSE 80/tcp 81/udp $P\n");
}

TEST(LintFix, RedundantPlatform) {
    EXPECT_EQ(fixed("FROM --platform=$TARGETPLATFORM  base AS a\n"), "FROM base AS a\n");
    EXPECT_EQ(fixed("FROM --platform=\"$TARGETPLATFORM\" base\n"),
              "FROM --platform=\"$TARGETPLATFORM\" base\n");
}

TEST(LintFix, WhatIsWrongWithATriggerIsNotWhatStandsAtFrom) {
    expect_untouched("FROM base AS a\nONBUILD ENV x y\nFROM a AS b\n");
}

TEST(LintFix, SkippedWarningsAreNotRepaired) {
    expect_untouched("# check=skip=StageNameCasing\nFROM base AS A\n");
}

TEST(LintFix, AFileWithAnErrorStays) {
    expect_untouched("FROM base AS A\nCOPY --nonsense a C:/\n");
}

TEST(LintFix, ErrorTrueIsNoObstacle) {
    EXPECT_EQ(fixed("# check=error=true\nFROM base AS A\n"), "# check=error=true\nFROM base AS a\n");
}

TEST(LintFix, FixableRulesAreGoneAfterwards) {
    test::LintCase c;
    for (const auto& warning :
         c.check(fixed("from base as A\nRUN a && \\\n\n b\nENV a b\nEXPOSE 1:80/TCP\n")).warnings)
        EXPECT_FALSE(is_fixable(*warning.rule)) << warning.rule->name;
}

}  // namespace
}  // namespace mullion::frontend
