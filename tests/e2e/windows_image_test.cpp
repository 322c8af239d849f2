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

}  // namespace
}  // namespace mullion
