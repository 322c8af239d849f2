// Which instructions expand variables, and which variables they see (dockerfile.md §5, §6).
#include <gtest/gtest.h>

#include "frontend/convert.hpp"
#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::Case;
using test::conversion_error;
using test::described;
using test::operation_of;
using Words = std::vector<std::string>;

Conversion below_arg(const std::string& instructions) {
    return Case().convert("FROM base\nARG V=val\n" + instructions);
}
oci::RunConfig config_below_arg(const std::string& instructions) {
    return below_arg(instructions).config.config;
}
solver::CopyAction copy_below_arg(const std::string& instruction) {
    const auto files = std::get<solver::FileOperation>(operation_of(below_arg(instruction).target));
    return std::get<solver::CopyAction>(files.actions.at(0));
}

TEST(Expansion, ArgumentsThatExpand) {
    EXPECT_EQ(config_below_arg("ENV $V=${V}1").env, (Words{"val=val1"}));
    EXPECT_EQ(config_below_arg("LABEL $V=${V}1").labels,
              (std::map<std::string, std::string>{{"val", "val1"}}));
    EXPECT_EQ(config_below_arg("WORKDIR /$V").working_dir, "\\val");
    EXPECT_EQ(config_below_arg("USER $V").user, "val");
    EXPECT_EQ(config_below_arg("VOLUME $V [\"$V\"]\nVOLUME [\"a$V\"]").volumes,
              (Words{"[val]", "aval", "val"}));
    EXPECT_EQ(config_below_arg("ARG S=TERM\nSTOPSIGNAL SIG$S").stop_signal, "SIGTERM");
    EXPECT_EQ(config_below_arg("ARG W=$V\nENV X=$W").env, (Words{"X=val"}));
    const auto copy = copy_below_arg("COPY --chown=$V a$V /b$V");
    EXPECT_EQ(copy.sources, (Words{"aval"}));
    EXPECT_EQ(copy.destination, "bval");
    EXPECT_EQ(copy.owner->user, "val");
    EXPECT_EQ(copy_below_arg("ARG M=u+x\nCOPY --chmod=$M a b").mode, "u+x");
    const auto add = below_arg("ARG C=sha256:" + std::string(64, 'a') + "\nADD --checksum=$C https://h/x /y");
    EXPECT_EQ(std::get<solver::HttpSource>(operation_of(add.target.vertex->inputs().at(1))).checksum,
              "sha256:" + std::string(64, 'a'));
}

TEST(Expansion, ArgumentsThatStayAsTheyAre) {
    EXPECT_EQ(config_below_arg("CMD [\"$V\"]").cmd, (Words{"$V"}));
    EXPECT_EQ(config_below_arg("CMD $V").cmd, (Words{"cmd", "/S", "/C", "$V"}));
    EXPECT_EQ(config_below_arg("ENTRYPOINT [\"$V\"]").entrypoint, (Words{"$V"}));
    EXPECT_EQ(config_below_arg("SHELL [\"$V\"]\nCMD x").cmd, (Words{"$V", "x"}));
    EXPECT_EQ(config_below_arg("HEALTHCHECK CMD $V").healthcheck->test, (Words{"CMD-SHELL", "$V"}));
    EXPECT_EQ(config_below_arg("ONBUILD RUN $V").on_build, (Words{"RUN $V"}));
    EXPECT_EQ(below_arg("MAINTAINER $V").config.author, "$V");
    EXPECT_EQ(copy_below_arg("COPY --exclude=$V a b").exclude, (Words{"$V"}));
    const auto run = std::get<solver::ExecOperation>(operation_of(below_arg("RUN echo $V").target));
    EXPECT_EQ(run.arguments.back(), "echo $V");
}

TEST(Expansion, OnlyExposeSplitsWhatAVariableHolds) {
    EXPECT_EQ(config_below_arg("ARG P=\"80 81\"\nEXPOSE $P").exposed_ports, (Words{"80/tcp", "81/tcp"}));
    EXPECT_EQ(config_below_arg("ARG D=\"a b\"\nVOLUME $D").volumes, (Words{"a b"}));
    EXPECT_EQ(copy_below_arg("ARG S=\"a b\"\nCOPY $S /x/").sources, (Words{"a b"}));
}

TEST(Expansion, EachNameOfAnArgSeesTheOnesBefore) {
    EXPECT_EQ(config_below_arg("ARG A=1 B=${A}2\nENV X=$B").env, (Words{"X=12"}));
}

TEST(Expansion, OfArgAndEnvTheLaterOneCounts) {
    EXPECT_EQ(config_below_arg("ENV A=env\nARG A=arg\nENV X=$A").env, (Words{"A=env", "X=arg"}));
    EXPECT_EQ(config_below_arg("ARG A=arg\nENV A=env\nENV X=$A").env, (Words{"A=env", "X=env"}));
}

TEST(Expansion, FromSeesGlobalArgumentsOnly) {
    EXPECT_EQ(described(conversion_error("FROM base\nARG B=base\nFROM $B")),
              "3: base name ($B) should not be blank");
    EXPECT_EQ(Case().convert("ARG G=1\nFROM base\nENV X=[$G]").config.config.env, (Words{"X=[]"}));
}

TEST(Expansion, TargetstageIsTheTargetOrTheLastStageOrDefault) {
    const std::string text = "FROM base AS a\nARG TARGETSTAGE\nENV X=$TARGETSTAGE\n";
    EXPECT_EQ(Case().convert(text).config.config.env, (Words{"X=a"}));
    EXPECT_EQ(Case().convert("FROM base\nARG TARGETSTAGE\nENV X=$TARGETSTAGE").config.config.env,
              (Words{"X=default"}));
    Case c;
    c.options.target = "a";
    EXPECT_EQ(c.convert(text + "FROM base AS b").config.config.env, (Words{"X=a"}));
}

TEST(Expansion, ProxiesThatAreDeclaredAreOrdinary) {
    Case c;
    c.options.build_args = {{"http_proxy", "http://p"}};
    const auto conversion = c.convert("FROM base\nARG http_proxy\nRUN x");
    EXPECT_EQ(std::get<solver::ExecOperation>(operation_of(conversion.target)).environment,
              (Words{"http_proxy=http://p"}));
    EXPECT_EQ(conversion.config.history.back().created_by,
              "RUN |1 http_proxy=http://p cmd /S /C x # buildkit");
}

TEST(Expansion, CommandsWithoutArgumentsAreTheShellOrNothing) {
    EXPECT_EQ(config_below_arg("CMD").cmd, (Words{"cmd", "/S", "/C", ""}));
    EXPECT_EQ(config_below_arg("CMD []").cmd.value_or(Words{}), Words{});
    EXPECT_EQ(config_below_arg("ENTRYPOINT []").entrypoint, std::nullopt);
}

}  // namespace
}  // namespace mullion::frontend
