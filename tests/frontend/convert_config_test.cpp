// What instructions make of the image configuration and its history (dockerfile.md §6, §8, §13).
#include <gtest/gtest.h>

#include "frontend/convert.hpp"
#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::Case;
using test::conversion_error;
using test::described;
using Words = std::vector<std::string>;

// created_by of what the build added; entries without a layer are marked with a leading '-'.
Words history(const Conversion& conversion, std::size_t skip = 1) {
    Words out;
    for (const auto& entry : conversion.config.history) {
        if (skip > 0) {
            --skip;
            continue;
        }
        EXPECT_EQ(entry.comment, "buildkit.dockerfile.v0");
        out.push_back((entry.empty_layer ? "-" : "") + entry.created_by);
    }
    return out;
}

Words history_of(std::string_view text) {
    return history(Case().convert(text));
}
oci::RunConfig config_of(std::string_view text) {
    return Case().convert(text).config.config;
}

TEST(ConvertConfig, EnvReplacesInPlaceAndSeesOldValues) {
    Case c;
    c.resolver.images["docker.io/library/base:latest"].config.env = {"Path=C:\\Windows", "B=1"};
    const auto conversion = c.convert("FROM base\nENV PATH=\"C:\\x;$path\" B=2 C=$B D=\"q r\"");
    EXPECT_EQ(conversion.config.config.env, (Words{"PATH=C:\\x;C:\\Windows", "B=2", "C=1", "D=q r"}));
    EXPECT_EQ(history(conversion), (Words{"-ENV PATH=C:\\x;C:\\Windows B=2 C=1 D=q r"}));
}

TEST(ConvertConfig, LabelsExpandAndOptionsWin) {
    Case c;
    c.options.labels = {{"a", "$x"}, {"b", "2"}};
    const auto conversion = c.convert("FROM base\nARG x=1\nLABEL a=$x \"c d\"='e'");
    EXPECT_EQ(conversion.config.config.labels,
              (std::map<std::string, std::string>{{"a", "$x"}, {"b", "2"}, {"c d", "e"}}));
    EXPECT_EQ(history(conversion), (Words{"-ARG x=1", "-LABEL a=1 c d=e"}));
}

TEST(ConvertConfig, CmdAndEntrypointTakeTheShell) {
    const auto config = config_of("FROM base\nENTRYPOINT a b\nCMD [\"c\", \"d\"]");
    EXPECT_EQ(config.entrypoint, (Words{"cmd", "/S", "/C", "a b"}));
    EXPECT_EQ(config.cmd, (Words{"c", "d"}));
    EXPECT_TRUE(config.args_escaped);
    EXPECT_EQ(history_of("FROM base\nSHELL [\"pwsh\", \"-c\"]\nCMD x \"y\"\nENTRYPOINT [\"e\", \"f g\"]"),
              (Words{"-SHELL [pwsh -c]", R"(-CMD ["pwsh" "-c" "x \"y\""])", R"(-ENTRYPOINT ["e" "f g"])"}));
}

TEST(ConvertConfig, EntrypointClearsAnInheritedCmdOnly) {
    Case c;
    c.resolver.images["docker.io/library/base:latest"].config.cmd = Words{"old"};
    EXPECT_EQ(c.convert("FROM base\nENTRYPOINT [\"e\"]").config.config.cmd, std::nullopt);
    EXPECT_EQ(c.convert("FROM base\nCMD [\"n\"]\nENTRYPOINT [\"e\"]").config.config.cmd, (Words{"n"}));
    EXPECT_EQ(c.convert("FROM base AS a\nCMD [\"n\"]\nFROM a\nENTRYPOINT [\"e\"]").config.config.cmd,
              std::nullopt);
    EXPECT_EQ(c.convert("FROM base\nENTRYPOINT [\"e\"]\nENTRYPOINT []").config.config.entrypoint,
              std::nullopt);
}

TEST(ConvertConfig, ExposeVolumeUserStopsignalMaintainer) {
    const auto conversion = Case().convert(
        "FROM base\nARG P=90\nEXPOSE 80/udp $P 8080-8081:81-82\nVOLUME C:/data [x\nVOLUME "
        "[\"C:/data\"]\nUSER "
        "$P\\a\n"
        "STOPSIGNAL sigterm\nMAINTAINER me <m@x>");
    const auto& config = conversion.config.config;
    EXPECT_EQ(config.exposed_ports, (Words{"80/udp", "81/tcp", "82/tcp", "90/tcp"}));
    EXPECT_EQ(config.volumes, (Words{"C:/data", "[x"}));
    EXPECT_EQ(config.user, "90a");
    EXPECT_EQ(config.stop_signal, "sigterm");
    EXPECT_EQ(conversion.config.author, "me <m@x>");
    EXPECT_EQ(history(conversion),
              (Words{"-ARG P=90", "-EXPOSE [90/tcp 80/udp 81/tcp 82/tcp]", "-VOLUME [C:/data [x]",
                     "-VOLUME [C:/data]", "-USER 90a", "-STOPSIGNAL sigterm", "-MAINTAINER me <m@x>"}));
}

TEST(ConvertConfig, SignalsAreNumbersOrNames) {
    for (const auto* good : {"9", "KILL", "SIGKILL", "sigkill", "RTMIN+3", "SIGRTMAX-14"})
        EXPECT_NO_THROW(Case().convert(std::string("FROM base\nSTOPSIGNAL ") + good)) << good;
    for (const auto* bad : {"0", "FOO", "SIG", "RTMIN+99", "9x"})
        EXPECT_EQ(described(conversion_error(std::string("FROM base\nSTOPSIGNAL ") + bad)),
                  std::string("2: invalid signal: ") + bad);
}

TEST(ConvertConfig, HealthcheckHistoryIsTheStructure) {
    EXPECT_EQ(history_of("FROM base\nHEALTHCHECK --interval=5s CMD x"),
              (Words{"-HEALTHCHECK {Test:[CMD-SHELL x] Interval:5s Timeout:0s StartPeriod:0s "
                     "StartInterval:0s Retries:0}"}));
}

TEST(ConvertConfig, OnbuildIsStoredWithoutHistory) {
    const auto conversion = Case().convert("FROM base\nONBUILD RUN x\nONBUILD COPY a b");
    EXPECT_EQ(conversion.config.config.on_build, (Words{"RUN x", "COPY a b"}));
    EXPECT_EQ(history(conversion), Words{});
}

TEST(ConvertConfig, ArgScopes) {
    Case c;
    c.options.build_args = {{"GIVEN", "g"}, {"UNUSED", "u"}, {"TARGETARCH", "mine"}};
    const auto conversion = c.convert(
        "ARG GLOBAL=1\nARG GIVEN=default\nARG BOTH=$GLOBAL$GIVEN\n"
        "FROM base\nARG GLOBAL\nARG GIVEN=$nothing\nARG BOTH=own$GLOBAL UNSET\nARG TARGETOS TARGETARCH "
        "BUILDPLATFORM\n"
        "ENV E=$GLOBAL-$GIVEN-$BOTH-$UNSET-$TARGETOS-$TARGETARCH-$BUILDPLATFORM-$TARGETPLATFORM");
    EXPECT_EQ(conversion.config.config.env, (Words{"E=1-g-own1--windows-mine-windows/amd64-"}));
    EXPECT_EQ(history(conversion)[2], "-ARG BOTH=own1 UNSET");
    EXPECT_EQ(conversion.used_build_args, (Words{"GIVEN", "TARGETARCH"}));
}

TEST(ConvertConfig, PlatformArgumentsNameTheTarget) {
    Case c;
    c.options.platform = oci::Platform::parse("windows(10.0.20348.1)/amd64");
    const auto conversion = c.convert(
        "FROM base AS it\nARG TARGETPLATFORM TARGETOSVERSION TARGETSTAGE\nENV "
        "E=$TARGETPLATFORM,$TARGETOSVERSION,$TARGETSTAGE");
    EXPECT_EQ(conversion.config.config.env, (Words{"E=windows(10.0.20348.1)/amd64,10.0.20348.1,it"}));
    EXPECT_EQ(conversion.config.platform.os_version, "10.0.20348.1");
}

TEST(ConvertConfig, ArgsNeverReachTheImageButItsDescendants) {
    const auto conversion = Case().convert("FROM base AS a\nARG X=1\nFROM a\nENV Y=$X");
    EXPECT_EQ(conversion.config.config.env, (Words{"Y=1"}));
}

TEST(ConvertConfig, BaseSettingsAreInherited) {
    Case c;
    auto& base = c.resolver.images["docker.io/library/base:latest"];
    base.config.labels = {{"l", "1"}};
    base.config.working_dir = "C:\\app";
    base.config.cmd = Words{"cmd"};
    const auto conversion = c.convert("FROM base\nENV A=1");
    EXPECT_EQ(conversion.config.config.working_dir, "\\app");
    EXPECT_EQ(conversion.config.config.labels, base.config.labels);
    EXPECT_EQ(conversion.config.config.user, "ContainerUser");
    EXPECT_EQ(conversion.config.platform.string(), "windows(10.0.20348.2700)/amd64");
    EXPECT_EQ(conversion.config.diff_ids, base.diff_ids);
    EXPECT_EQ(conversion.config.history.front(), base.history.front());
}

TEST(ConvertConfig, ScratchHasAPathOnLinuxOnly) {
    Case c;
    EXPECT_EQ(c.convert("FROM scratch\nLABEL a=b").config.config.env, Words{});
    c.options.platform = oci::Platform::parse("linux/amd64");
    EXPECT_EQ(c.convert("FROM scratch\nLABEL a=b").config.config.env,
              (Words{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}));
}

TEST(ConvertConfig, EpochIsTheBasesTimeUnlessGiven) {
    Case c;
    auto conversion = c.convert("FROM base\nENV A=1");
    EXPECT_EQ(conversion.epoch.rfc3339(), "2024-08-10T03:04:05Z");
    EXPECT_EQ(conversion.config.created, std::nullopt) << "follows from the history, when it is complete";
    EXPECT_EQ(conversion.source_date_epoch, std::nullopt);
    EXPECT_EQ(conversion.config.history.back().created, conversion.epoch);
    EXPECT_EQ(c.convert("FROM scratch\nENV A=1").epoch.rfc3339(), "1980-01-01T00:00:00Z");
    EXPECT_EQ(c.convert("ARG SOURCE_DATE_EPOCH=5\nFROM base\nENV A=1").epoch.seconds(), 5);
    EXPECT_EQ(c.convert("ARG SOURCE_DATE_EPOCH=\nFROM base\nENV A=1").source_date_epoch, std::nullopt);
    c.options.build_args = {{"SOURCE_DATE_EPOCH", "7"}};
    EXPECT_EQ(c.convert("ARG SOURCE_DATE_EPOCH=5\nFROM base\nENV A=1").epoch.seconds(), 7);
    c.options.build_args = {{"SOURCE_DATE_EPOCH", "soon"}};
    EXPECT_STREQ(test::error_of([&] { c.convert("FROM base"); }).what(), "invalid SOURCE_DATE_EPOCH: soon");
}

TEST(ConvertConfig, HistoryOfTheBaseLinesUpWithItsLayers) {
    Case c;
    auto& base = c.resolver.images["docker.io/library/base:latest"];
    base.diff_ids.push_back({base::Digest::of("second")});
    const auto conversion = c.convert("FROM base\nENV A=1");
    ASSERT_EQ(conversion.config.history.size(), 3u);
    EXPECT_FALSE(conversion.config.history[1].empty_layer);
    EXPECT_EQ(conversion.config.history[1].comment, "buildkit.exporter.image.v0");
    base.diff_ids.clear();
    base.history.push_back({.created_by = "too many"});
    EXPECT_TRUE(c.convert("FROM base\nENV A=1").config.history[1].empty_layer);
}

TEST(ConvertConfig, DoublingVariablesIsStopped) {
    std::string text = "FROM base\nENV A=xxxxxxxxxxxxxxxx\n";
    for (int i = 0; i < 64; ++i) text += "ENV A=$A$A\n";
    EXPECT_EQ(conversion_error(text).code(), base::ErrorCode::Exhausted);
}

TEST(ConvertConfig, EmptyTextIsRefused) {
    EXPECT_STREQ(conversion_error("").what(), "the Dockerfile cannot be empty");
}

// 2 MiB in $A, by doubling.
std::string big_variable() {
    std::string text = "FROM base\nENV A=" + std::string(1024, 'x') + "\n";
    for (int i = 0; i < 11; ++i) text += "ENV A=$A$A\n";
    return text;
}

base::ErrorCode code_of(const std::string& text) {
    return test::error_of([&] { Case().convert(text); }).code();
}

TEST(ConvertConfig, MemoryIsBounded) {
    std::string labels = "LABEL";
    std::string ports = "EXPOSE";
    std::string sources = "COPY";
    std::string arguments = "ARG";
    for (int i = 0; i < 20; ++i) {
        labels += " l" + std::to_string(i) + "=$A";
        ports += " 1-65535";
        sources += " $A";
        arguments += " A" + std::to_string(i) + "=$A";
    }
    for (const auto& line : {labels, ports, sources + " C:/", arguments})
        EXPECT_EQ(code_of(big_variable() + line), base::ErrorCode::Exhausted) << line;
    std::string runs;
    for (int i = 0; i < 200; ++i) runs += "RUN x\n";
    EXPECT_EQ(code_of(big_variable() + runs), base::ErrorCode::Exhausted);
}

TEST(ConvertConfig, EveryPortOfAProtocol) {
    const auto config = config_of("FROM base\nEXPOSE 1-65535 80 1-65535/udp");
    EXPECT_EQ(config.exposed_ports.size(), 2 * 65535u);
    EXPECT_TRUE(std::is_sorted(config.exposed_ports.begin(), config.exposed_ports.end()));
}

}  // namespace
}  // namespace mullion::frontend
