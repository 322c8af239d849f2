// The reference's rules, each broken and kept (dockerfile.md §15). Messages are those of the reference.
#include <gmock/gmock.h>

#include "lint_support.hpp"

namespace mullion::frontend {
namespace {

using test::lint;
using test::LintCase;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Lint, StageNameCasing) {
    EXPECT_THAT(lint("FROM scratch AS Build\nFROM scratch AS run\n"),
                ElementsAre("1 StageNameCasing: Stage name 'Build' should be lowercase"));
}

TEST(Lint, FromAsCasing) {
    EXPECT_THAT(lint("FROM scratch as a\nFROM scratch AS b\n"),
                ElementsAre("1 FromAsCasing: 'as' and 'FROM' keywords' casing do not match"));
    EXPECT_THAT(lint("from scratch as a\nfrom scratch AS b\n"),
                ElementsAre("2 FromAsCasing: 'AS' and 'from' keywords' casing do not match"));
    EXPECT_THAT(lint("FROM scratch As a\n"),
                ElementsAre("1 FromAsCasing: 'As' and 'FROM' keywords' casing do not match"));
}

TEST(Lint, FromInMixedCaseIsNoMeasureForAs) {
    EXPECT_THAT(
        lint("From scratch as a\n"),
        ElementsAre("1 ConsistentInstructionCasing: Command 'From' should match the case of the command "
                    "majority (uppercase)"));
}

TEST(Lint, NoEmptyContinuationAtTheLastLine) {
    EXPECT_THAT(lint("FROM scratch\nRUN a \\\n\n  b \\\n\n  c\nRUN d\n"),
                ElementsAre("6 NoEmptyContinuation: Empty continuation line"));
    EXPECT_THAT(lint("FROM scratch\nRUN a \\\n# comment\n  b\n"), IsEmpty());
}

TEST(Lint, NoEmptyContinuationStandsBeforeTheHeredoc) {
    EXPECT_THAT(lint("FROM scratch\nCOPY \\\n\n <<E /x\nbody\nE\n", "linux/amd64"),
                ElementsAre("4 NoEmptyContinuation: Empty continuation line"));
}

TEST(Lint, ConsistentInstructionCasing) {
    EXPECT_THAT(
        lint("FROM scratch\nCOPY a /\nrun b\n"),
        ElementsAre("3 ConsistentInstructionCasing: Command 'run' should match the case of the command "
                    "majority (uppercase)"));
    EXPECT_THAT(
        lint("FROM scratch\nenv a=b\nenv c=d\n"),
        ElementsAre("1 ConsistentInstructionCasing: Command 'FROM' should match the case of the command "
                    "majority (lowercase)"));
}

TEST(Lint, TiesAreUpperCaseAndMixedCaseDoesNotVote) {
    EXPECT_THAT(
        lint("FROM scratch\nenv a=b\nEnv c=d\n"),
        ElementsAre("2 ConsistentInstructionCasing: Command 'env' should match the case of the command "
                    "majority (uppercase)",
                    "3 ConsistentInstructionCasing: Command 'Env' should match the case of the command "
                    "majority (uppercase)"));
}

TEST(Lint, GlobalArgsHaveNoSayInCasing) {
    EXPECT_THAT(lint("arg A\narg B\nFROM scratch\n"), IsEmpty());
}

TEST(Lint, DuplicateStageName) {
    EXPECT_THAT(
        lint("FROM scratch AS a\nFROM scratch AS a\n"),
        ElementsAre("2 DuplicateStageName: Duplicate stage name \"a\", stage names should be unique"));
}

TEST(Lint, ReservedStageName) {
    EXPECT_THAT(lint("FROM base AS scratch\nFROM base AS context\n"),
                ElementsAre("1 ReservedStageName: Stage name should not use the same name as reserved stage "
                            "\"scratch\"",
                            "2 ReservedStageName: Stage name should not use the same name as reserved stage "
                            "\"context\""));
}

TEST(Lint, JsonArgsRecommended) {
    EXPECT_THAT(
        lint("FROM scratch\nENTRYPOINT a\nCMD b\n"),
        ElementsAre("2 JSONArgsRecommended: JSON arguments recommended for ENTRYPOINT to prevent unintended "
                    "behavior related to OS signals",
                    "3 JSONArgsRecommended: JSON arguments recommended for CMD to prevent unintended "
                    "behavior related to OS signals"));
    EXPECT_THAT(lint("FROM scratch\nSHELL [\"pwsh\"]\nCMD b\nENTRYPOINT [\"c\"]\n"), IsEmpty());
}

TEST(Lint, MaintainerDeprecated) {
    EXPECT_THAT(
        lint("FROM scratch\nMAINTAINER me\n"),
        ElementsAre("2 MaintainerDeprecated: Maintainer instruction is deprecated in favor of using label"));
}

TEST(Lint, UndefinedArgInFrom) {
    EXPECT_THAT(
        lint("ARG VERSION=1\nFROM base:1$VERSON\n"),
        ElementsAre("2 UndefinedArgInFrom: FROM argument 'VERSON' is not declared (did you mean VERSION?)"));
    EXPECT_THAT(
        lint("FROM --platform=$BUILDPLATFROM base\n").at(0),
        "1 UndefinedArgInFrom: FROM argument 'BUILDPLATFROM' is not declared (did you mean BUILDPLATFORM?)");
}

TEST(Lint, AnArgWithoutValueIsDeclared) {
    EXPECT_THAT(lint("ARG TAG\nFROM base:1$TAG\n"), IsEmpty());
}

TEST(Lint, WorkdirRelativePath) {
    EXPECT_THAT(
        lint("FROM scratch\nWORKDIR app\nWORKDIR more\n"),
        ElementsAre("2 WorkdirRelativePath: Relative workdir \"app\" can have unexpected results if the base "
                    "image changes"));
    EXPECT_THAT(lint("FROM scratch\nWORKDIR C:\\\\app\nWORKDIR more\n"), IsEmpty());
    EXPECT_THAT(lint("FROM scratch\nWORKDIR /app\n"), IsEmpty());
}

TEST(Lint, WorkdirOfTheBaseStageCounts) {
    EXPECT_THAT(
        lint("FROM scratch AS a\nWORKDIR /x\nFROM a\nWORKDIR y\nFROM scratch\nWORKDIR z\n"),
        ElementsAre("6 WorkdirRelativePath: Relative workdir \"z\" can have unexpected results if the base "
                    "image changes"));
}

TEST(Lint, DriveLettersAreRelativeOnLinux) {
    EXPECT_THAT(
        lint("FROM scratch\nWORKDIR C:/app\n", "linux/amd64"),
        ElementsAre("2 WorkdirRelativePath: Relative workdir \"C:/app\" can have unexpected results if the "
                    "base image changes"));
}

TEST(Lint, UndefinedVar) {
    EXPECT_THAT(lint("FROM scratch\nENV NAME=x\nCOPY $NAMES /\n"),
                ElementsAre("3 UndefinedVar: Usage of undefined variable '$NAMES' (did you mean $NAME?)"));
    EXPECT_THAT(lint("FROM scratch\nLABEL a=$a b=${b} c='$c'\n"),
                ElementsAre("2 UndefinedVar: Usage of undefined variable '$a'",
                            "2 UndefinedVar: Usage of undefined variable '$b'"));
}

TEST(Lint, VariablesOfArgAreDefinedWithoutAValue) {
    EXPECT_THAT(lint("FROM scratch\nARG a\nLABEL x=$a\n"), IsEmpty());
    EXPECT_THAT(lint("FROM scratch AS s\nARG a\nFROM s\nLABEL x=$a\n"), IsEmpty());
}

TEST(Lint, VariablesOfRunAndExposeAreNotOurs) {
    EXPECT_THAT(lint("FROM scratch\nRUN echo $x\nEXPOSE $PORT\nCMD [\"$y\"]\nONBUILD ENV a=$z\n"), IsEmpty());
}

TEST(Lint, UndefinedVariablesInHeredocsAndMounts) {
    EXPECT_THAT(lint("FROM scratch\nCOPY <<E /x\n$body\nE\nCOPY <<'E' /y\n$raw\nE\n", "linux/amd64"),
                ElementsAre("2 UndefinedVar: Usage of undefined variable '$body'"));
    EXPECT_THAT(lint("FROM scratch\nRUN --mount=source=$src,target=/x a\n", "linux/amd64"),
                ElementsAre("2 UndefinedVar: Usage of undefined variable '$src'"));
}

TEST(Lint, MultipleInstructionsAtTheEarlierOne) {
    EXPECT_THAT(
        lint("FROM scratch\nCMD [\"a\"]\nCMD [\"b\"]\nCMD [\"c\"]\n"),
        ElementsAre("2 MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the "
                    "same stage because only the last one will be used",
                    "3 MultipleInstructionsDisallowed: Multiple CMD instructions should not be used in the "
                    "same stage because only the last one will be used"));
    EXPECT_THAT(lint("FROM scratch\nHEALTHCHECK NONE\nHEALTHCHECK NONE\nENTRYPOINT []\nENTRYPOINT []\n"),
                ElementsAre(testing::StartsWith("2 MultipleInstructionsDisallowed: Multiple HEALTHCHECK"),
                            testing::StartsWith("4 MultipleInstructionsDisallowed: Multiple ENTRYPOINT")));
}

TEST(Lint, EachStageHasItsOwnCmd) {
    EXPECT_THAT(lint("FROM scratch AS a\nCMD [\"a\"]\nFROM a\nCMD [\"b\"]\n"), IsEmpty());
}

TEST(Lint, LegacyKeyValueFormat) {
    EXPECT_THAT(
        lint("FROM scratch\nENV a b\nLABEL a b c\nENV d=e\n"),
        ElementsAre("2 LegacyKeyValueFormat: \"ENV key=value\" should be used instead of legacy \"ENV key "
                    "value\" format",
                    "3 LegacyKeyValueFormat: \"LABEL key=value\" should be used instead of legacy \"LABEL "
                    "key value\" format"));
}

TEST(Lint, InvalidBaseImagePlatform) {
    test::Case c;
    auto image = test::windows_base();
    image.platform = oci::Platform::parse("linux/arm64");
    c.resolver.images["docker.io/library/base:latest"] = image;
    c.options.platform = oci::Platform::parse("linux/amd64");
    const auto conversion = c.convert("FROM base\n");
    ASSERT_EQ(conversion.warnings.size(), 1u);
    EXPECT_EQ(conversion.warnings[0].rule, &rules::InvalidBaseImagePlatform);
    EXPECT_EQ(conversion.warnings[0].message,
              "Base image base was pulled with platform \"linux/arm64\", expected \"linux/amd64\" for "
              "current build");
}

TEST(Lint, RedundantTargetPlatform) {
    EXPECT_THAT(
        lint("FROM --platform=${TARGETPLATFORM} base\n"),
        ElementsAre("1 RedundantTargetPlatform: Setting platform to predefined ${TARGETPLATFORM} in FROM is "
                    "redundant as this is the default behavior"));
    EXPECT_THAT(lint("FROM --platform=$BUILDPLATFORM base\n"), IsEmpty());
}

TEST(Lint, SecretsUsedInArgOrEnv) {
    EXPECT_THAT(
        lint("FROM scratch\nARG Api_Key\nENV DB_PASSWORD=x token=y PUBLIC_KEY=z KEYS=a MONKEY=b\n"),
        ElementsAre("2 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ARG "
                    "\"Api_Key\")",
                    "3 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "
                    "\"DB_PASSWORD\")",
                    "3 SecretsUsedInArgOrEnv: Do not use ARG or ENV instructions for sensitive data (ENV "
                    "\"token\")"));
    EXPECT_THAT(lint("ARG SECRET=x\nFROM scratch\nENV TOKEN_FILE=a AUTH_VERSION=b\n"), IsEmpty());
}

TEST(Lint, InvalidDefaultArgInFrom) {
    LintCase c;
    c.options.build_args = {{"BASE", "base"}};
    EXPECT_THAT(
        c.warnings("ARG BASE\nFROM $BASE\n"),
        ElementsAre("2 InvalidDefaultArgInFrom: Default value for ARG $BASE results in empty or invalid base "
                    "image name"));
    EXPECT_THAT(c.warnings("ARG BASE=other\nFROM $BASE\n"), IsEmpty());
}

TEST(Lint, FromPlatformFlagConstDisallowed) {
    EXPECT_THAT(
        lint("FROM --platform=windows/amd64 base AS build\n"),
        ElementsAre("1 FromPlatformFlagConstDisallowed: FROM --platform flag should not use constant value "
                    "\"windows/amd64\""));
    EXPECT_THAT(lint("FROM --platform=windows/amd64 base AS build-amd64\n"), IsEmpty());
}

TEST(Lint, CopyIgnoredFile) {
    LintCase c;
    c.options.ignore_patterns["context"] = {"secret", "*.log"};
    EXPECT_THAT(
        c.warnings("FROM scratch\nCOPY ./secret/key a.txt /\nADD x.log /\nCOPY . /\n"),
        ElementsAre("2 CopyIgnoredFile: Attempting to Copy file \"secret/key\" that is excluded by "
                    ".dockerignore",
                    "3 CopyIgnoredFile: Attempting to Add file \"x.log\" that is excluded by .dockerignore"));
}

TEST(Lint, CopyIgnoredFileKnowsWhatItCannotTell) {
    LintCase c;
    c.options.ignore_patterns["context"] = {"*", "!keep"};
    EXPECT_THAT(c.warnings("FROM scratch\nCOPY anything /\n"), IsEmpty());
    c.options.ignore_patterns["context"] = {"**"};
    EXPECT_THAT(
        c.warnings("FROM scratch AS a\nCOPY . /\nFROM scratch\nCOPY --from=a x /\nCOPY <<E /e\nE\n"),
        ElementsAre("2 CopyIgnoredFile: Attempting to Copy file \".\" that is excluded by .dockerignore"));
}

TEST(Lint, InvalidDefinitionDescriptionIsExperimental) {
    EXPECT_THAT(lint("# x\nFROM scratch AS base\n"), IsEmpty());
    EXPECT_THAT(
        lint("# check=experimental=all\n# wrong\nARG foo\n# base is good\nFROM scratch AS base\n# bad\nARG a "
             "b\n"),
        ElementsAre("3 InvalidDefinitionDescription: Comment for ARG should follow the format: `# foo "
                    "<description>`",
                    "7 InvalidDefinitionDescription: Comment for ARG should follow the format: `# <arg_key> "
                    "<description>`"));
}

TEST(Lint, ExposeProtoCasingAndInvalidFormat) {
    EXPECT_THAT(
        lint("FROM scratch\nEXPOSE 80/TCP 81/udp\nEXPOSE 127.0.0.1:80:80 90:91\n"),
        ElementsAre("2 ExposeProtoCasing: Defined protocol '80/TCP' in EXPOSE instruction should be "
                    "lowercase",
                    "3 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port "
                    "mapping, found '127.0.0.1:80:80'",
                    "3 ExposeInvalidFormat: EXPOSE instruction should not define an IP address or host-port "
                    "mapping, found '90:91'"));
}

TEST(Lint, TriggersAreLintedWhereTheyRun) {
    EXPECT_THAT(
        lint("FROM scratch AS a\nONBUILD ENV x y\nFROM a\n"),
        ElementsAre("3 LegacyKeyValueFormat: \"ENV key=value\" should be used instead of legacy \"ENV key "
                    "value\" format"));
}

TEST(Lint, ATargetLimitsWhatIsLowered) {
    LintCase c;
    c.options.target = "b";
    EXPECT_THAT(c.warnings("FROM scratch AS a\nENV x y\nFROM scratch AS b\nENV z u\n"),
                ElementsAre(testing::StartsWith("4 LegacyKeyValueFormat")));
}

// Which warnings are wanted.

TEST(LintOptions, TheDirectiveSkips) {
    EXPECT_THAT(lint("# check=skip=all\nfrom scratch as A\nENV a b\n"), IsEmpty());
    EXPECT_THAT(
        lint("#check = skip=LegacyKeyValueFormat,StageNameCasing and words\nFROM scratch AS A\nENV a b\n"),
        IsEmpty());
    EXPECT_THAT(lint("# check=skip=legacykeyvalueformat\nFROM scratch\nENV a b\n"),
                ElementsAre(testing::StartsWith("3 Legacy")));
}

TEST(LintOptions, TheDirectiveMayFollowAShebang) {
    EXPECT_THAT(lint("#!/usr/bin/env x\n# check=skip=all\nFROM scratch\nENV a b\n"), IsEmpty());
    EXPECT_THAT(lint("# comment\n# check=skip=all\nFROM scratch AS a\nENV a b\n"),
                ElementsAre(testing::StartsWith("4 Legacy")));
}

TEST(LintOptions, TheBuildArgumentReplacesTheDirective) {
    LintCase c;
    c.options.build_args = {{"BUILDKIT_DOCKERFILE_CHECK", "skip=StageNameCasing"}};
    EXPECT_THAT(c.warnings("# check=skip=all\nFROM scratch AS A\nENV a b\n"),
                ElementsAre(testing::StartsWith("3 Legacy")));
}

TEST(LintOptions, CommentsSkipForOneInstruction) {
    EXPECT_THAT(lint("FROM scratch\n# check=skip=LegacyKeyValueFormat\nENV a b\nENV c d\n"),
                ElementsAre(testing::StartsWith("4 Legacy")));
    EXPECT_THAT(lint("FROM scratch AS x\n# check=skip=MaintainerDeprecated because\nMAINTAINER m\n"),
                IsEmpty());
    EXPECT_THAT(lint("FROM scratch\n# check=nonsense\nENV a b\n"),
                ElementsAre(testing::StartsWith("3 Legacy")));
}

TEST(LintOptions, ErrorsOfTheOptions) {
    EXPECT_THAT(lint("# check=foo=bar\nFROM scratch\n"),
                ElementsAre("error 1: failed to parse check options: invalid check option \"foo\""));
    EXPECT_THAT(lint("# check=skip\nFROM scratch\n"),
                ElementsAre("error 1: failed to parse check options: invalid check option \"skip\""));
    EXPECT_THAT(lint("# syntax=x\n# check=error=maybe\nFROM scratch\n"),
                ElementsAre(testing::StartsWith(
                    "error 2: failed to parse check options: failed to parse check option "
                    "\"error=maybe\"")));
}

TEST(LintOptions, ErrorMakesErrorsOfWarnings) {
    EXPECT_THAT(
        lint("# check=error=true\nFROM scratch AS A\nENV a b\n"),
        ElementsAre(testing::StartsWith("2 StageNameCasing"), testing::StartsWith("3 LegacyKeyValueFormat"),
                    "error ?: lint violation found for rules: LegacyKeyValueFormat, StageNameCasing"));
    EXPECT_THAT(lint("# check=error=true;skip=LegacyKeyValueFormat\nFROM scratch\nENV a b\n"), IsEmpty());
    EXPECT_THROW(test::Case().convert("# check=error=true\nFROM base\nENV a b\n"), base::Error);
}

TEST(LintOptions, OurRulesNeverFailABuild) {
    LintCase c;
    c.windows_rules = true;
    EXPECT_THAT(c.warnings("# check=error=true\nFROM base\nADD a.msi C:/\n"),
                ElementsAre(testing::StartsWith("3 AddDoesNotInstall")));
}

TEST(LintOptions, WarningsBeforeAnErrorAreKept) {
    EXPECT_THAT(lint("FROM scratch AS A\nENV a b\nCOPY --chmod=9 x /\n"),
                ElementsAre(testing::StartsWith("1 StageNameCasing"), testing::StartsWith("2 Legacy"),
                            testing::StartsWith("error 3: invalid chmod parameter")));
}

TEST(LintOptions, RemarksHaveNoRuleAndNoOption) {
    Linter linter(LintOptions::parse("skip=all;error=true"), true);
    linter.note({"f", 3, 3, 0, 0}, "remark");
    ASSERT_EQ(linter.warnings().size(), 1u);
    EXPECT_EQ(linter.warnings()[0].rule, nullptr);
    EXPECT_NO_THROW(linter.fail_if_asked());
}

TEST(LintOptions, HostileNumbersOfWarningsAreBounded) {
    std::string text = "FROM scratch\n";
    for (std::size_t i = 0; i < Linter::kMaxWarnings + 100; i += 100) {
        text += "LABEL";
        for (std::size_t j = i; j < i + 100; ++j) text += " a=$x" + std::to_string(j);
        text += "\n";
    }
    LintCase c;
    EXPECT_EQ(c.check(text).warnings.size(), Linter::kMaxWarnings);
}

}  // namespace
}  // namespace mullion::frontend
