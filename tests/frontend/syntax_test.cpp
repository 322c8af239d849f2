#include "frontend/syntax.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::described;
using test::error_of;

std::string dump(std::string_view text) {
    return ast_dump(parse(text, "Dockerfile"));
}
std::string failure(std::string_view text) {
    return described(error_of([&] { parse(text, "Dockerfile"); }));
}

TEST(Syntax, DumpsTheExamplesOfTheReference) {
    EXPECT_EQ(dump(R"(ENV A=1 B="x y")"), R"((env "A" "1" "=" "B" "\"x y\"" "="))"
                                          "\n");
    EXPECT_EQ(dump("COPY --from=b --link a /d"), R"((copy ["--from=b" "--link"] "a" "/d"))"
                                                 "\n");
    EXPECT_EQ(dump(R"(ONBUILD RUN ["x","y"])"), R"((onbuild (run "x" "y")))"
                                                "\n");
    EXPECT_EQ(dump("foo bar"), "(foo \"\")\n");
    EXPECT_EQ(dump("RUN"), "(run)\n");
    EXPECT_EQ(dump("ONBUILD"), "(onbuild)\n");
}

TEST(Syntax, NamesEndAtBlanksOnly) {
    EXPECT_EQ(dump("RUN\tx"), "(run \"x\")\n");
    EXPECT_EQ(dump("RUN\u00a0x"), "(run\u00a0x \"\")\n");
    EXPECT_EQ(dump("RUNx y"), "(runx \"\")\n");
    EXPECT_EQ(dump("RU\\N y"), "(ru\\n \"\")\n");
    EXPECT_EQ(dump("wor\u212Adir y"), "(workdir \"y\")\n");
}

TEST(Syntax, WordsSplitWithoutQuoting) {
    EXPECT_EQ(dump("FROM  'a b'\tAS c"), "(from \"'a\" \"b'\" \"AS\" \"c\")\n");
    EXPECT_EQ(dump("EXPOSE 80 \"81\" -"), R"((expose "80" "\"81\"" "-"))"
                                          "\n");
}

TEST(Syntax, FlagsLoseQuotesAndEscapes) {
    EXPECT_EQ(dump(R"(RUN --mount="a b" --x='c\'d' --y=e\ f g --h)"),
              R"((run ["--mount=a b" "--x=c'd" "--y=e f"] "g --h"))"
              "\n");
    EXPECT_EQ(dump("# escape=`\nCOPY --a=b`\"c\\ d e"), R"((copy ["--a=b\"c\\"] "d" "e"))"
                                                        "\n");
    EXPECT_EQ(dump("RUN --a=\"open x"), R"((run ["--a=open x"]))"
                                        "\n");
    EXPECT_EQ(dump("RUN --a\\"), "(run [\"--a\"])\n");
}

TEST(Syntax, ALoneDoubleDashEndsFlags) {
    EXPECT_EQ(dump("RUN --a -- --b c"), R"((run ["--a"] "--b c"))"
                                        "\n");
    EXPECT_EQ(dump("RUN --\"\" --b"), "(run \"--b\")\n");
    EXPECT_EQ(dump("RUN --"), "(run)\n");
    EXPECT_EQ(dump("COPY -- [\"a\",\"b\"]"), "(copy \"a\" \"b\")\n");
    EXPECT_EQ(dump("ENV -- a=b"), R"((env "a" "b" "="))"
                                  "\n");
}

TEST(Syntax, ASingleDashIsNoFlag) {
    EXPECT_EQ(dump("RUN - x"), "(run \"- x\")\n");
    EXPECT_EQ(dump("RUN -x --y"), "(run \"-x --y\")\n");
    EXPECT_EQ(dump("COPY - -x y"), R"((copy "-" "-x" "y"))"
                                   "\n");
    EXPECT_EQ(dump("ARG - -x=1"), R"((arg "-" "-x=1"))"
                                  "\n");
}

TEST(Syntax, QuotesInPairsRunAcrossWhatFlagsWouldSplit) {
    // In single quotes the escape character protects in flags, but not in words.
    EXPECT_EQ(dump(R"(ENV a='\' b='c d')"), R"((env "a" "'\\'" "=" "b" "'c d'" "="))"
                                            "\n");
    EXPECT_EQ(dump(R"(ENV a="x\" y" b=1)"), R"((env "a" "\"x\\\" y\"" "=" "b" "1" "="))"
                                            "\n");
    EXPECT_EQ(dump("ENV a=\"open b=c"), R"((env "a" "\"open b=c" "="))"
                                        "\n");
    EXPECT_EQ(dump("ENV a=x\\ y b=z\\"), R"((env "a" "x\\ y" "=" "b" "z" "="))"
                                         "\n");
    EXPECT_EQ(dump("ENV a=\"b\" c\"d=e\""), R"((env "a" "\"b\"" "=" "c\"d" "e\"" "="))"
                                            "\n");
}

TEST(Syntax, LegacyPairsKeepTheValueVerbatim) {
    EXPECT_EQ(dump("ENV name  a value \"b\" = c"), R"((env "name" "a value \"b\" = c" ""))"
                                                   "\n");
    EXPECT_EQ(dump("LABEL a b"), R"((label "a" "b" ""))"
                                 "\n");
    EXPECT_EQ(failure("FROM a\nENV x"), "2: ENV must have two arguments");
    EXPECT_EQ(failure("LABEL x"), "1: LABEL must have two arguments");
    EXPECT_EQ(failure("ENV a=b c"),
              "1: Syntax error - can't find = in \"c\". Must be of the form: name=value");
    EXPECT_EQ(dump("ENV"), "(env)\n");
}

TEST(Syntax, JsonArraysOfStringsAreExecForm) {
    EXPECT_EQ(dump(R"(CMD [ "a", "b c" ] )"), R"((cmd "a" "b c"))"
                                              "\n");
    EXPECT_TRUE(parse("CMD []", "f").instructions[0].json);
    EXPECT_EQ(dump("CMD []"), "(cmd)\n");
    EXPECT_EQ(dump(R"(RUN ["\u00e9\ud83d\ude00\ud800"])"), "(run \"é😀\ufffd\")\n");
    EXPECT_EQ(dump(R"(HEALTHCHECK CMD ["a"])"), R"((healthcheck "CMD" "a"))"
                                                "\n");
}

TEST(Syntax, InvalidJsonIsShellForm) {
    for (const auto* text :
         {"['a']", "[\"a\",]", "[\"C:\\app\"]", "[\"a\"] b", "[\"a\" \"b\"]", "[a]", "[\"a\"", "[1e999]"})
        EXPECT_FALSE(parse(std::string("RUN ") + text, "f").instructions[0].json) << text;
    EXPECT_EQ(dump("COPY ['a', b]"), R"((copy "['a'," "b]"))"
                                     "\n");
}

TEST(Syntax, JsonOfAnythingElseIsAnError) {
    for (const auto* text : {"[1]", "[null]", "[\"a\", [\"b\"]]", "[{}]", "[true]"})
        EXPECT_EQ(failure(std::string("FROM a\nRUN ") + text),
                  "2: when using JSON array syntax, arrays must be comprised of strings only")
            << text;
}

TEST(Syntax, StringInstructionsNeverTakeJson) {
    EXPECT_EQ(dump(R"(WORKDIR ["a"])"), R"((workdir "[\"a\"]"))"
                                        "\n");
    EXPECT_EQ(dump("USER  a b "), "(user \"a b\")\n");
}

TEST(Syntax, HealthcheckHasATypeThenACommand) {
    EXPECT_EQ(dump("HEALTHCHECK --interval=5s cmd curl -f x"),
              R"((healthcheck ["--interval=5s"] "cmd" "curl -f x"))"
              "\n");
    EXPECT_EQ(dump("HEALTHCHECK NONE"), "(healthcheck \"NONE\")\n");
}

TEST(Syntax, OnbuildNests) {
    EXPECT_EQ(dump("ONBUILD --x ONBUILD --y COPY --z a b"),
              R"((onbuild ["--x"] (onbuild ["--y"] (copy ["--z"] "a" "b"))))"
              "\n");
    EXPECT_EQ(dump("ONBUILD -- RUN x"), "(onbuild (run \"x\"))\n");
    std::string deep;
    for (int i = 0; i < 100000; ++i) deep += "ONBUILD \\\n";
    EXPECT_EQ(error_of([&] { parse(deep + "RUN x", "f"); }).code(), base::ErrorCode::Invalid);
}

TEST(Syntax, HeredocsBelongToTheInstruction) {
    const auto file = parse("FROM a\nRUN <<A <<-B\n1\nA\n\t2\n\tB\nCMD x", "Dockerfile");
    const auto& run = file.instructions[1];
    ASSERT_EQ(run.heredocs.size(), 2u);
    EXPECT_EQ(run.heredocs[0].body, "1\n");
    EXPECT_EQ(run.heredocs[1].body, "\t2\n");
    EXPECT_EQ(run.range, (base::SourceRange{"Dockerfile", 2, 6, 0, 0}));
    EXPECT_EQ(file.instructions[2].range.first_line, 7);
}

TEST(Syntax, HeredocsNeedAnInstructionThatTakesThem) {
    EXPECT_EQ(parse("CMD <<A\nx\nA", "f").instructions.size(), 3u);
    EXPECT_EQ(parse("RUN [\"<<A\"]\nx\nA", "f").instructions.size(), 3u);
    EXPECT_EQ(parse("ONBUILD RUN <<A\nx\nA", "f").instructions.size(), 1u);
    EXPECT_EQ(parse("ONBUILD ONBUILD RUN <<A\nx\nA", "f").instructions.size(), 3u);
}

TEST(Syntax, UnterminatedHeredocPointsToTheInstruction) {
    EXPECT_EQ(failure("FROM a\nRUN <<A\nx\ny"), "2: unterminated heredoc");
    EXPECT_EQ(failure("COPY <<A <<B /x/\nA\nA"), "1: unterminated heredoc");
}

TEST(Syntax, EmptyFilesHaveNoInstructions) {
    for (const auto* text : {"", "\n\n", "# escape=`\n", "# x"})
        EXPECT_EQ(std::string(error_of([&] { parse(text, "f"); }).what()), "file with no instructions");
}

TEST(Syntax, OverlongLinesEndTheFile) {
    const std::string tail = std::string(70000, 'x');
    EXPECT_EQ(failure("FROM a\nRUN " + tail), "2: dockerfile line greater than max allowed size of 65535");
    EXPECT_EQ(std::string(error_of([&] { parse("RUN " + tail, "f"); }).what()), "file with no instructions");
    EXPECT_EQ(failure("FROM a\nRUN <<A\n" + tail), "2: unterminated heredoc");
}

TEST(Syntax, InvalidBytesAndTheInternalEscapeMarkSurvive) {
    EXPECT_EQ(dump("RUN a\xff\ufdd0\\b"), "(run \"a\\xff\\ufdd0\\\\b\")\n");
}

TEST(Syntax, EveryPrefixOfAHostileFileParsesOrFailsCleanly) {
    const std::string text =
        "# escape=`\nFROM --platform=\"a b` x AS y`\nENV a='b \"c` d\"e=f\nRUN --mount=x <<E "
        "--y\n\xff\xfe\nE\nCOPY [\"a\", "
        "\"\\ud800\"] `\n# c\n\nONBUILD -- HEALTHCHECK --a CMD [\nARG `\n";
    for (std::size_t i = 0; i <= text.size(); ++i) {
        try {
            ast_dump(parse(text.substr(0, i), "f"));
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), base::ErrorCode::Invalid) << i << " " << error.what();
        }
    }
}

}  // namespace
}  // namespace mullion::frontend
