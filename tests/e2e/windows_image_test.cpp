// What only Windows images have: a registry, security descriptors, layers that start with Files/.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/mullion.hpp"

namespace mullion {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class WindowsImage : public testing::Test {
  protected:
    WindowsImage() { base = workspace.base_context(); }

    base::ProcessOutput build(const std::string& dockerfile, const std::string& name = "out:1",
                              std::vector<std::string> more = {}) {
        workspace.write("Dockerfile", dockerfile);
        std::vector<std::string> args = {"build", "--progress=plain", "-t", name, "--build-context", base,
                                         "."};
        args.insert(args.end() - 1, more.begin(), more.end());
        return workspace.run(args);
    }
    nlohmann::json config(const std::string& name = "out:1") {
        auto output = workspace.run({"inspect", name});
        EXPECT_EQ(output.exit_code, 0) << output.err;
        return nlohmann::json::parse(output.out).at(0).at("Config");
    }

    test::Workspace workspace;
    std::string base;
};

TEST_F(WindowsImage, ExtendingPathKeepsTheMachines) {
    const std::string machine =
        "C:\\Windows\\system32;C:\\Windows;C:\\Windows\\System32\\Wbem;"
        "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\;C:\\Windows\\System32\\OpenSSH\\";
    auto output = build("# escape=`\nFROM base\nENV PATH=%PATH%;C:\\tools\nENV PATH=\"${PATH};C:\\more\"\n");
    ASSERT_EQ(output.exit_code, 0) << output.err;
    EXPECT_THAT(output.err, HasSubstr("read PATH of"));
    EXPECT_THAT(config().at("Env"), ElementsAre("PATH=" + machine + ";C:\\tools;C:\\more"));
}

TEST_F(WindowsImage, PathIsNotReadWithoutNeed) {
    auto output = build("FROM base\nENV PATH=C:/only\nENV PATH=${PATH};C:/more\n");
    ASSERT_EQ(output.exit_code, 0) << output.err;
    EXPECT_THAT(output.err, Not(HasSubstr("read PATH of")));
    EXPECT_THAT(config().at("Env"), ElementsAre("PATH=C:/only;C:/more"));
}

// Every blob of a saved image: digest of the layer -> its position from the top.
TEST_F(WindowsImage, LinkedLayersAreTheSameBlobOnAnotherBase) {
    workspace.write("app/tool.exe", "MZ tool");
    ASSERT_EQ(workspace.run({"base", "create", "--os-version", "10.0.26100.1742", "-t", "newer:1"}).exit_code,
              0);
    ASSERT_EQ(build("FROM base\nCOPY --link --chown=ContainerUser app /app/\n", "one:1").exit_code, 0);
    auto again = build("FROM newer:1\nCOPY --link --chown=ContainerUser app /app/\n", "two:1",
                       {"--platform=windows(10.0.26100.1742)/amd64"});
    ASSERT_EQ(again.exit_code, 0) << again.err;
    EXPECT_THAT(again.err, HasSubstr("COPY --link --chown=ContainerUser app /app/\n#"));
    auto layers = [&](const std::string& name) {
        auto output = workspace.run({"inspect", name});
        return nlohmann::json::parse(output.out).at(0).at("RootFS").at("Layers");
    };
    ASSERT_EQ(layers("one:1").size(), 2U);
    EXPECT_NE(layers("one:1").at(0), layers("two:1").at(0));
    EXPECT_EQ(layers("one:1").at(1), layers("two:1").at(1));
    for (const char* name : {"one:1", "two:1"}) {
        auto verified = workspace.run({"image", "verify", name});
        EXPECT_EQ(verified.exit_code, 0) << verified.out;
    }
}

TEST_F(WindowsImage, ANewBaseDoesNotMakeTheLinkedLayerAgain) {
    workspace.write("app/tool.exe", "MZ tool");
    ASSERT_EQ(workspace.run({"base", "create", "--os-version", "10.0.26100.1742", "-t", "newer:1"}).exit_code,
              0);
    ASSERT_EQ(build("FROM base\nCOPY --link app /app/\n").exit_code, 0);
    auto again = build("FROM newer:1\nCOPY --link app /app/\n", "two:1",
                       {"--platform=windows(10.0.26100.1742)/amd64"});
    ASSERT_EQ(again.exit_code, 0) << again.err;
    auto at = again.err.find("[2/2] COPY --link");
    ASSERT_NE(at, std::string::npos);
    EXPECT_THAT(again.err.substr(at, 80), HasSubstr("CACHED"));
}

TEST_F(WindowsImage, ChownOfAnAccountNobodyHasShowsWhere) {
    workspace.write("x", "1");
    auto output = build("FROM base\nCOPY --chown=app x /x\n");
    EXPECT_EQ(output.exit_code, 1);
    EXPECT_THAT(output.err, HasSubstr("the image has no account \"app\""));
    EXPECT_THAT(output.err, HasSubstr(">>> COPY --chown=app x /x"));
    EXPECT_EQ(build("FROM base\nCOPY --chown=Guest:Guests --chmod=755 x /x\n").exit_code, 0);
}

// A program built in a Linux stage goes into the Windows image.
TEST_F(WindowsImage, FilesOfALinuxStageBecomeWindowsFiles) {
    workspace.write("out/app.exe", "MZ app");
    std::filesystem::create_directory_symlink("/out", workspace.path("out/self"));
    ASSERT_EQ(
        build("FROM scratch\nCOPY --chmod=755 out /out\n", "lin:1", {"--platform=linux/amd64"}).exit_code, 0);
    auto output = build("FROM --platform=linux/amd64 lin:1 AS l\nFROM base\nCOPY --from=l /out /app\n",
                        "out:1", {"--platform=windows/amd64"});
    ASSERT_EQ(output.exit_code, 0) << output.err;
    auto verified = workspace.run({"image", "verify", "out:1"});
    EXPECT_EQ(verified.exit_code, 0) << verified.out;
    auto saved = workspace.run({"save", "-o", "out.tar", "out:1"});
    ASSERT_EQ(saved.exit_code, 0) << saved.err;
}

TEST_F(WindowsImage, TheBaseHasARegistryThatVerifies) {
    ASSERT_EQ(workspace.run({"base", "create", "-t", "b:1"}).exit_code, 0);
    auto verified = workspace.run({"image", "verify", "b:1"});
    EXPECT_EQ(verified.exit_code, 0) << verified.out;
}

}  // namespace
}  // namespace mullion
