// The table of dockerfile.md §13, row by row: what each instruction writes into the history, and whether it
// makes a layer.
#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::Case;
using Words = std::vector<std::string>;

// The entries that the build added to a base with one: created_by, in front of it "-" if there is no layer.
Words history(const Conversion& conversion, std::size_t of_base = 1) {
    Words out;
    for (std::size_t i = of_base; i < conversion.config.history.size(); ++i) {
        const auto& entry = conversion.config.history[i];
        EXPECT_EQ(entry.comment, "buildkit.dockerfile.v0");
        EXPECT_EQ(entry.created, conversion.epoch);
        EXPECT_EQ(entry.author, "");
        out.push_back((entry.empty_layer ? "-" : "") + entry.created_by);
    }
    return out;
}
Words history_of(std::string_view text) {
    return history(Case().convert(text));
}

TEST(History, RunHasTheDeclaredArgumentsAndTheShell) {
    EXPECT_EQ(history_of("FROM base\nRUN echo a  b"), (Words{"RUN cmd /S /C echo a  b # buildkit"}));
    EXPECT_EQ(history_of("FROM base\nRUN [\"a.exe\", \"b c\"]"), (Words{"RUN a.exe b c # buildkit"}));
    EXPECT_EQ(history_of("FROM base\nARG A=1\nARG B\nENV C=3\nARG A=2\nRUN x")[4],
              "RUN |2 A=2 B= cmd /S /C x # buildkit");
    // ENV after ARG is what the process sees.
    EXPECT_EQ(history_of("FROM base\nARG A=1\nENV A=env\nRUN x")[2], "RUN |1 A=env cmd /S /C x # buildkit");
    EXPECT_EQ(history_of("FROM base AS one\nARG A=1\nFROM one\nRUN x")[1],
              "RUN |1 A=1 cmd /S /C x # buildkit");
}

TEST(History, RunOfAHeredocShowsTheBody) {
    EXPECT_EQ(history_of("FROM base\nRUN <<EOF\none\ntwo\nEOF\n"),
              (Words{"RUN cmd /S /C one\ntwo\n # buildkit"}));
}

TEST(History, CopyAndAddShowFlagsSourcesHeredocsAndDestination) {
    EXPECT_EQ(history_of("FROM base\nARG d=x\nCOPY a b $d/"), (Words{"-ARG d=x", "COPY a b x/ # buildkit"}));
    EXPECT_EQ(history_of("FROM base\nADD a C:/b"), (Words{"ADD a C:/b # buildkit"}));
    EXPECT_EQ(history_of("FROM base\nCOPY --chown=me --parents a b/"),
              (Words{"COPY --parents --chown=me a b/ # buildkit"}));
    EXPECT_EQ(history_of("FROM base\nCOPY a <<one <<two C:/d/\n1\none\n2\ntwo\n"),
              (Words{"COPY a <<one <<two C:/d/ # buildkit"}));
    EXPECT_EQ(history_of("FROM base AS s\nFROM base\nCOPY --from=s a b"), (Words{"COPY a b # buildkit"}));
}

TEST(History, WorkdirIsTheWholePathWithSlashes) {
    EXPECT_EQ(history_of("FROM base\nWORKDIR C:\\app\nWORKDIR sub"),
              (Words{"WORKDIR /app", "WORKDIR /app/sub"}));
    EXPECT_EQ(history_of("FROM base\nWORKDIR /"), (Words{"-WORKDIR /"}));
}

TEST(History, EnvAndLabelAreExpanded) {
    EXPECT_EQ(history_of("FROM base\nENV A=1 B=\"2 3\"\nENV C $B\nLABEL b=$A a=x"),
              (Words{"-ENV A=1 B=2 3", "-ENV C=2 3", "-LABEL b=1 a=x"}));
}

TEST(History, ArgShowsItsValueIfItHasOne) {
    EXPECT_EQ(history_of("ARG G=g\nFROM base\nARG A=1 B\nARG G"), (Words{"-ARG A=1 B", "-ARG G=g"}));
}

TEST(History, CmdAndEntrypointAreQuotedWithoutCommas) {
    EXPECT_EQ(history_of("FROM base\nCMD a \"b\"\nENTRYPOINT [\"x\", \"y z\"]"),
              (Words{R"(-CMD ["cmd" "/S" "/C" "a \"b\""])", R"(-ENTRYPOINT ["x" "y z"])"}));
    EXPECT_EQ(history_of("FROM base\nCMD []\nENTRYPOINT []"), (Words{"-CMD []", "-ENTRYPOINT []"}));
}

TEST(History, ListsAreInBrackets) {
    EXPECT_EQ(history_of("FROM base\nEXPOSE 81 80\nVOLUME a b\nSHELL [\"pwsh\", \"-c\"]"),
              (Words{"-EXPOSE [80/tcp 81/tcp]", "-VOLUME [a b]", "-SHELL [pwsh -c]"}));
}

TEST(History, UserStopsignalAndMaintainerAreAsGiven) {
    EXPECT_EQ(history_of("FROM base\nUSER me\nSTOPSIGNAL SIGTERM\nMAINTAINER a <b>"),
              (Words{"-USER me", "-STOPSIGNAL SIGTERM", "-MAINTAINER a <b>"}));
}

TEST(History, HealthcheckIsTheStructure) {
    EXPECT_EQ(history_of("FROM base\nHEALTHCHECK --interval=1h30m --timeout=90s --start-period=1.5s "
                         "--start-interval=250ms --retries=3 CMD [\"a\", \"b\"]"),
              (Words{"-HEALTHCHECK {Test:[CMD a b] Interval:1h30m0s Timeout:1m30s StartPeriod:1.5s "
                     "StartInterval:250ms Retries:3}"}));
    EXPECT_EQ(history_of("FROM base\nHEALTHCHECK NONE"),
              (Words{"-HEALTHCHECK {Test:[NONE] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s "
                     "Retries:0}"}));
}

TEST(History, OnbuildAndLabelOptionsLeaveNone) {
    Case c;
    c.options.labels = {{"z", "1"}, {"a", "2"}};
    const auto conversion = c.convert("FROM base\nONBUILD RUN x\nLABEL z=0");
    EXPECT_EQ(history(conversion), (Words{"-LABEL z=0"}));
    EXPECT_EQ(conversion.config.config.labels, (std::map<std::string, std::string>{{"a", "2"}, {"z", "1"}}));
}

TEST(History, TriggersOfTheBaseRunFirstAndAreNotPassedOn) {
    Case c;
    c.resolver.images["docker.io/library/base:latest"].config.on_build = {"ENV T=1", "RUN t"};
    const auto conversion = c.convert("FROM base AS s\nENV A=1\nFROM s");
    EXPECT_EQ(history(conversion), (Words{"-ENV T=1", "RUN cmd /S /C t # buildkit", "-ENV A=1"}));
    EXPECT_EQ(conversion.config.config.on_build, Words{});
}

TEST(History, ArgsEscapedIsOfCmdOnly) {
    EXPECT_TRUE(Case().convert("FROM base\nCMD [\"a\"]").config.config.args_escaped);
    EXPECT_FALSE(Case().convert("FROM base\nENTRYPOINT [\"a\"]").config.config.args_escaped);
    Case c;
    c.resolver.images["docker.io/library/base:latest"].config.args_escaped = true;
    EXPECT_TRUE(c.convert("FROM base\nENTRYPOINT [\"a\"]").config.config.args_escaped);
}

TEST(History, EntriesOfTheBaseStayAsTheyAre) {
    Case c;
    auto& base = c.resolver.images["docker.io/library/base:latest"];
    base.history = {{.created_by = "nop", .empty_layer = true},
                    {.created = base::FileTime::from_seconds(5), .created_by = "layer", .author = "them"},
                    {.created_by = "ENV", .comment = "theirs", .empty_layer = true}};
    c.options.build_args = {{"SOURCE_DATE_EPOCH", "7"}};
    const auto conversion = c.convert("FROM base\nENV A=1");
    ASSERT_EQ(conversion.config.history.size(), 4u);
    for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(conversion.config.history[i], base.history[i]);
    EXPECT_EQ(conversion.config.history[3].created->seconds(), 7);
}

TEST(History, LayersAndEntriesOfTheBuildPairUp) {
    const auto conversion =
        Case().convert("FROM base\nENV A=1\nCOPY a b\nWORKDIR /\nWORKDIR /w\nRUN x\nUSER u");
    std::size_t with_layer = 0;
    for (std::size_t i = 1; i < conversion.config.history.size(); ++i)
        if (!conversion.config.history[i].empty_layer) ++with_layer;
    EXPECT_EQ(with_layer, 3u);
    EXPECT_EQ(conversion.layers.size(), 3u);
}

}  // namespace
}  // namespace mullion::frontend
