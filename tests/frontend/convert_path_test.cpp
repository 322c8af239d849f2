// PATH in ENV of Windows images: the registry's PATH is there to be extended (docs/windows.md).
#include <gmock/gmock.h>

#include <algorithm>

#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::Case;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kMachine = "C:\\Windows\\system32;C:\\Windows";

class ConvertPathTest : public testing::Test {
  protected:
    ConvertPathTest() { build.resolver.path = kMachine; }

    std::vector<std::string> env(const std::string& instructions) {
        conversion = build.convert("# escape=`\nFROM base\n" + instructions);
        return conversion->config.config.env;
    }

    // Warnings that are of no lint rule.
    long remarks() const {
        return std::count_if(conversion->warnings.begin(), conversion->warnings.end(),
                             [](const Warning& warning) { return warning.rule == nullptr; });
    }

    Case build;
    std::optional<Conversion> conversion;
};

TEST_F(ConvertPathTest, ReferencesSeeTheMachinesPath) {
    for (const char* value : {"${PATH};C:\\tools", "$PATH;C:\\tools", "\"${Path};C:\\tools\"",
                              "%PATH%;C:\\tools", "'%Path%;C:\\tools'", "${NONE:-${PATH}};C:\\tools"}) {
        EXPECT_THAT(env(std::string("ENV PATH=") + value + "\n"),
                    ElementsAre(std::string("PATH=") + kMachine + ";C:\\tools"))
            << value;
    }
}

TEST_F(ConvertPathTest, HistoryShowsTheWholePath) {
    env("ENV PATH=${PATH};D:\\x\n");
    EXPECT_EQ(conversion->config.history.back().created_by, std::string("ENV PATH=") + kMachine + ";D:\\x");
}

TEST_F(ConvertPathTest, LaterInstructionsExtendWhatIsSet) {
    EXPECT_THAT(env("ENV PATH=C:\\a;%PATH%\nENV Path=${PATH};C:\\b\nENV PATH=%PATH%;C:\\c\n"),
                ElementsAre(std::string("PATH=C:\\a;") + kMachine + ";C:\\b;C:\\c"));
    EXPECT_EQ(build.resolver.path_reads, 1);
}

TEST_F(ConvertPathTest, OtherVariablesSeeItToo) {
    EXPECT_THAT(env("ENV OLD=$PATH\n"), ElementsAre(std::string("OLD=") + kMachine));
    EXPECT_THAT(env("ENV OLD=%PATH%\n"), ElementsAre("OLD=%PATH%")) << "only cmd expands that one";
}

TEST_F(ConvertPathTest, RunKeepsTheEnvironmentWindowsGives) {
    env("ENV OLD=$PATH\nRUN x\n");
    const auto run = std::get<solver::ExecOperation>(test::operation_of(conversion->target));
    EXPECT_THAT(run.environment, ElementsAre(std::string("OLD=") + kMachine));
}

TEST_F(ConvertPathTest, NobodyReadsARegistryThatIsNotNeeded) {
    env("ENV A=1 PATHEXT=$PATHEXT B=%PATHS% PATH=C:\\only\nENV PATH=${PATH};x\nENV C=$PATH\n");
    EXPECT_EQ(build.resolver.path_reads, 0);
}

TEST_F(ConvertPathTest, ArgumentsCarryIt) {
    build.options.build_args = {{"EXTRA", "%PATH%;C:\\arg"}};
    EXPECT_THAT(env("ARG EXTRA\nENV PATH=$EXTRA\n"),
                ElementsAre(std::string("PATH=") + kMachine + ";C:\\arg"));
}

TEST_F(ConvertPathTest, ThePathOfTheConfigurationWins) {
    build.resolver.images["docker.io/library/base:latest"].config.env = {"Path=C:\\own"};
    EXPECT_THAT(env("ENV PATH=%PATH%;C:\\b\n"), ElementsAre("PATH=C:\\own;C:\\b"));
    EXPECT_EQ(build.resolver.path_reads, 0);
}

// What another engine made of "ENV PATH=%PATH%;C:\own" is mended.
TEST_F(ConvertPathTest, APathThatWasWipedIsMended) {
    build.resolver.images["docker.io/library/base:latest"].config.env = {"PATH=%PATH%;C:\\own"};
    EXPECT_THAT(env("ENV PATH=%PATH%;C:\\b\n"),
                ElementsAre(std::string("PATH=") + kMachine + ";C:\\own;C:\\b"));
    EXPECT_THAT(env("ENV PATH=${PATH};C:\\b\n"),
                ElementsAre(std::string("PATH=") + kMachine + ";C:\\own;C:\\b"));
}

TEST_F(ConvertPathTest, StagesOnStagesAskTheirImage) {
    EXPECT_THAT(env("ENV A=1\nFROM base AS two\nFROM two\nENV PATH=$PATH;x\n"),
                ElementsAre(std::string("PATH=") + kMachine + ";x"));
}

TEST_F(ConvertPathTest, UnknownPathIsWarnedOf) {
    build.options.windows_rules = false;
    build.resolver.path = "";
    EXPECT_THAT(env("ENV PATH=${PATH};C:\\tools\n"), ElementsAre("PATH=;C:\\tools"));
    ASSERT_EQ(remarks(), 1);
    const Warning& remark = *std::find_if(conversion->warnings.begin(), conversion->warnings.end(),
                                          [](const Warning& warning) { return warning.rule == nullptr; });
    EXPECT_THAT(remark.message, HasSubstr("write the whole PATH"));
    EXPECT_EQ(remark.range.first_line, 3);
    EXPECT_THAT(env("ENV PATH=%PATH%;C:\\tools\n"), ElementsAre("PATH=%PATH%;C:\\tools"));
    EXPECT_EQ(remarks(), 1);
}

// Checking a Dockerfile does not look into images: everything is as in the reference.
TEST_F(ConvertPathTest, WithoutALookIntoImagesNothingIsWarnedOf) {
    build.resolver.path.reset();
    EXPECT_THAT(env("ENV PATH=${PATH};C:\\tools\n"), ElementsAre("PATH=;C:\\tools"));
    EXPECT_EQ(remarks(), 0);
}

TEST_F(ConvertPathTest, ScratchHasNoPath) {
    conversion = build.convert("FROM scratch\nENV PATH=${PATH};x\n");
    EXPECT_THAT(conversion->config.config.env, ElementsAre("PATH=;x"));
    EXPECT_EQ(build.resolver.path_reads, 0);
    EXPECT_EQ(remarks(), 0);
}

TEST_F(ConvertPathTest, LinuxImagesAreNotAsked) {
    build.options.build_platform = oci::Platform::parse("linux/amd64");
    auto& image = build.resolver.images["docker.io/library/base:latest"];
    image.platform = build.options.build_platform;
    image.config.env = {"PATH=/bin"};
    EXPECT_THAT(env("ENV PATH=%PATH%:${PATH}\n"), ElementsAre("PATH=%PATH%:/bin"));
    EXPECT_EQ(build.resolver.path_reads, 0);
}

}  // namespace
}  // namespace mullion::frontend
