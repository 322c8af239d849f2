#include <gmock/gmock.h>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using testing::HasSubstr;

class RunCommand : public test::ContainerTest {
  protected:
    void SetUp() override {
        ContainerTest::SetUp();
        auto built = build(
            "FROM base\nENV FROM_IMAGE=image\nWORKDIR C:\\work\nENTRYPOINT [\"cmd\", \"/S\", \"/C\"]\nCMD "
            "[\"echo default\"]\n",
            {"-t", "app"});
        ASSERT_EQ(built.exit_code, 0) << built.err;
    }
};

TEST_F(RunCommand, RunsTheDefaultCommand) {
    auto ran = workspace.run({"run", "--rm", "app"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out, "default\r\n");
}

TEST_F(RunCommand, ArgumentsReplaceCmdAndOptionsAfterTheImageAreTheirs) {
    auto ran = workspace.run({"run", "--rm", "app", "echo", "-e", "--rm"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out, "-e --rm\r\n");
}

TEST_F(RunCommand, EnvironmentWorkingDirectoryAndUser) {
    auto ran = workspace.run({"run", "--rm", "-e", "X=a b", "-w", "C:\\Windows", "-u", "ContainerUser", "app",
                              "echo [%FROM_IMAGE%][%X%][%CD%][%USERNAME%]"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("[image][a b][C:\\Windows][ContainerUser]"));
}

TEST_F(RunCommand, EntrypointIsReplaced) {
    auto ran = workspace.run({"run", "--rm", "--entrypoint", "hostname", "app"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_FALSE(ran.out.empty());
}

TEST_F(RunCommand, ExitCodeIsThatOfTheProcess) {
    EXPECT_EQ(workspace.run({"run", "--rm", "app", "exit", "7"}).exit_code, 7);
    // A Unix exit status has 8 bits: a larger code becomes 255 and is spelled out.
    auto ran = workspace.run({"run", "--rm", "app", "exit", "-1073741819"});
    EXPECT_EQ(ran.exit_code, 255);
    EXPECT_THAT(ran.err, HasSubstr("3221225477"));
    EXPECT_EQ(workspace.run({"run", "--rm", "app", "exit", "256"}).exit_code, 255);
}

TEST_F(RunCommand, VolumesAreReadAndWrittenOrProtected) {
    workspace.write("data/in.txt", "from the host\r\n");
    std::string data = workspace.path("data").string();
    auto ran = workspace.run(
        {"run", "--rm", "-v", data + ":C:\\data", "app", "type C:\\data\\in.txt> C:\\data\\out.txt"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(workspace.read("data/out.txt"), "from the host\r\n");
    auto refused =
        workspace.run({"run", "--rm", "-v", data + ":C:\\data:ro", "app", "echo x> C:\\data\\out2.txt"});
    EXPECT_THAT(refused.out + refused.err, testing::Not(testing::IsEmpty()));
    EXPECT_FALSE(std::filesystem::exists(workspace.path("data/out2.txt")));
}

TEST_F(RunCommand, StandardInputIsPassedOn) {
    auto ran = workspace.tool(
        {"sh", "-c", "printf 'b\\r\\na\\r\\n' | \"$0\" run --rm -i app more", MULLION_BINARY_PATH});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("b\r\na\r\n"));
}

TEST_F(RunCommand, EndsWithItsProcessThoughStandardInputStaysOpen) {
    auto ran = workspace.tool(
        {"sh", "-c", "mkfifo input; exec 9<>input; timeout 60 \"$0\" run --rm -i app echo done <input",
         MULLION_BINARY_PATH});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out, "done\r\n");
    auto limited = workspace.tool({"sh", "-c",
                                   "exec 9<>input; timeout 60 \"$0\" run --rm -i --timeout 2s app \"for /L "
                                   "%i in (0,0,1) do @rem\" <input",
                                   MULLION_BINARY_PATH});
    EXPECT_EQ(limited.exit_code, 125);
    EXPECT_THAT(limited.err, HasSubstr("time limit"));
}

TEST_F(RunCommand, OutputAndErrorsStayApart) {
    auto ran = workspace.run({"run", "--rm", "app", "echo out& echo err>&2"});
    EXPECT_EQ(ran.out, "out\r\n");
    EXPECT_EQ(ran.err, "err\r\n");
}

TEST_F(RunCommand, WhatCannotBeDoneIsRefused) {
    auto hyperv = workspace.run({"run", "--rm", "--isolation", "hyperv", "app"});
    EXPECT_EQ(hyperv.exit_code, 125);
    EXPECT_THAT(hyperv.err, HasSubstr("Hyper-V"));
    auto missing = workspace.run({"run", "--rm", "no-such-image"});
    EXPECT_EQ(missing.exit_code, 125);
    EXPECT_THAT(missing.err, HasSubstr("no-such-image"));
}

}  // namespace
}  // namespace mullion
