#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using testing::HasSubstr;
using testing::Not;
using Clock = std::chrono::steady_clock;

class RunStep : public test::ContainerTest {
  protected:
    // Whether any process still works for this workspace's state: its directory is in their mounts or
    // arguments.
    std::string leftovers() {
        return workspace
            .tool({"sh", "-c",
                   "for p in /proc/[0-9]*; do "
                   "  [ ${p#/proc/} = $$ ] || [ ${p#/proc/} = $PPID ] || "
                   "  ! grep -qsF \"$0\" $p/mountinfo $p/cmdline || tr '\\0' ' ' < $p/cmdline; "
                   "done; true",
                   workspace.state().string()})
            .out;
    }
};

TEST_F(RunStep, AFailingStepShowsItsOutputTheExcerptAndTheCode) {
    auto built = build("FROM base\nRUN echo before&& exit /b 1\nRUN echo never\n");
    EXPECT_EQ(built.exit_code, 1);
    EXPECT_THAT(built.err, HasSubstr("before"));
    EXPECT_THAT(built.err, HasSubstr("exit code: 1"));
    EXPECT_THAT(built.err, HasSubstr("   2 | >>> RUN echo before&& exit /b 1"));
    EXPECT_THAT(built.err, Not(HasSubstr("exit code: 0")));
}

TEST_F(RunStep, WhatFollowsAnOperatorDependsOnWhatStandsBefore) {
    auto passing = build(
        "# escape=`\nFROM base\n"
        "RUN echo one> C:\\one.txt && type C:\\one.txt && echo both\n"
        "RUN type C:\\missing.txt || echo instead\n"
        "RUN <<EOF\n"
        "cmd /c exit 3 || echo code %errorlevel%\n"
        "cmd /c exit 3 && echo never\n"
        "if errorlevel 3 echo remembered\n"
        "exit /b 0\n"
        "EOF\n");
    EXPECT_EQ(passing.exit_code, 0) << passing.err;
    // Printed, which is more than named in the step's title.
    for (const char* line : {"both", "instead", "code 0", "remembered"})
        EXPECT_THAT(passing.err, testing::ContainsRegex(std::string("#[0-9]+ [0-9.]+ ") + line));
    EXPECT_THAT(passing.err, Not(testing::ContainsRegex("#[0-9]+ [0-9.]+ never")));
    for (const char* failing :
         {"type C:\\missing.txt && echo wrong> C:\\wrong.txt", "rd C:\\missing || exit 7",
          "ren C:\\missing x", "echo x> C:\\missing\\file", "(echo a & nosuch) > C:\\out.txt"}) {
        auto built = build(std::string("# escape=`\nFROM base\nRUN ") + failing + "\n");
        EXPECT_EQ(built.exit_code, 1) << failing;
        EXPECT_THAT(built.err, HasSubstr("did not complete successfully")) << failing;
    }
}

TEST_F(RunStep, ExitCodesKeepAll32Bits) {
    // cmd reads a signed number: 0xC0000005, an access violation, is -1073741819.
    for (auto [argument, code] : {std::pair("300", "300"), std::pair("-1073741819", "3221225477")}) {
        auto built = build(std::string("FROM base\nRUN exit ") + argument + "\n");
        EXPECT_EQ(built.exit_code, 1);
        EXPECT_THAT(built.err, HasSubstr(std::string("exit code: ") + code));
    }
}

TEST_F(RunStep, EnvironmentUserAndWorkingDirectoryReachTheProcess) {
    auto built = build(
        "# escape=`\n"
        "FROM base\n"
        "ARG WHO=world\n"
        "ENV GREETING=\"hello there\"\n"
        "WORKDIR C:\\deep\\er\n"
        "USER ContainerUser\n"
        "RUN echo [%GREETING%][%WHO%][%CD%][%USERNAME%]\n");
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_THAT(built.err, HasSubstr("[hello there][world][C:\\deep\\er][ContainerUser]"));
}

TEST_F(RunStep, ChangesDeletionsAndNonAsciiNamesLandInTheLayer) {
    workspace.write("context/gone.txt", "x");
    auto built = build(
        "FROM base\n"
        "COPY gone.txt C:/Data/\n"
        "RUN del C:\\DATA\\GONE.TXT && echo caf\xc3\xa9> C:\\data\\\xc3\xbc.txt\n",
        {"-o", "type=local,dest=out"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_FALSE(std::filesystem::exists(workspace.path("out/Data/gone.txt")));
    EXPECT_TRUE(std::filesystem::exists(workspace.path("out/Data/\xc3\xbc.txt")));
}

TEST_F(RunStep, HeredocRunsAllItsLines) {
    auto built = build("FROM base\nRUN <<EOF\necho one> C:\\one.txt\necho two> C:\\two.txt\nEOF\n",
                       {"-o", "type=local,dest=out"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_EQ(workspace.read("out/one.txt"), "one\r\n");
    EXPECT_EQ(workspace.read("out/two.txt"), "two\r\n");
}

TEST_F(RunStep, AFileBesideAMountPointIsKept) {
    workspace.write("context/src/in.txt", "in");
    auto built = build(
        "FROM base\nRUN --mount=type=bind,source=src,target=C:/work/in copy C:\\work\\in\\in.txt "
        "C:\\work\\out.txt\n",
        {"-o", "type=local,dest=out"});
    ASSERT_EQ(built.exit_code, 0) << built.err;
    EXPECT_EQ(workspace.read("out/work/out.txt"), "in");
    EXPECT_FALSE(std::filesystem::exists(workspace.path("out/work/in")));
}

TEST_F(RunStep, AStubToolFailsWithAHint) {
    auto built = build("FROM base\nRUN powershell -Command Get-Date\n");
    EXPECT_EQ(built.exit_code, 1);
    EXPECT_THAT(built.err, HasSubstr("hint: "));
    EXPECT_THAT(built.err, HasSubstr("powershell"));
}

TEST_F(RunStep, RegistryChangesAreNotLostSilently) {
    const char* dockerfile = "FROM base\nRUN reg add HKLM\\Software\\Acme /v Key /d Value /f\n";
    auto refused = build(dockerfile);
    EXPECT_EQ(refused.exit_code, 1);
    EXPECT_THAT(refused.err, HasSubstr("registry"));
    EXPECT_THAT(refused.err, HasSubstr("--allow-registry-loss"));
    auto allowed = build(dockerfile, {"--allow-registry-loss"});
    EXPECT_EQ(allowed.exit_code, 0) << allowed.err;
    EXPECT_THAT(allowed.err, HasSubstr("registry"));
}

// Wine keeps the looks of a new console in the registry.
TEST_F(RunStep, AProgramStartedOnItsOwnIsNoRegistryChange) {
    auto built = build("FROM base\nRUN start /wait cmd /c exit 0\n");
    EXPECT_EQ(built.exit_code, 0) << built.err;
}

TEST_F(RunStep, AForkBombIsContained) {
    workspace.write("context/bomb.cmd", "@start /b cmd /c C:\\bomb.cmd\r\n@C:\\bomb.cmd\r\n");
    auto built = build("FROM base\nCOPY bomb.cmd C:/\nRUN C:\\bomb.cmd\n", {"--step-timeout", "8s"});
    EXPECT_EQ(built.exit_code, 1);
    EXPECT_EQ(leftovers(), "");
}

TEST_F(RunStep, AHangEndsAtTheTimeLimit) {
    auto begin = Clock::now();
    auto built = build("FROM base\nRUN ping -n 1000 127.0.0.1 > nul & for /l %i in (0,0,1) do @rem\n",
                       {"--step-timeout", "3s"});
    EXPECT_EQ(built.exit_code, 1);
    EXPECT_THAT(built.err, HasSubstr("time limit"));
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(60));
    EXPECT_EQ(leftovers(), "");
}

TEST_F(RunStep, InterruptEndsTheBuildAndLeavesNothing) {
    workspace.write("context/Dockerfile", "FROM base\nRUN for /l %i in (0,0,1) do @rem\n");
    workspace.base_context();
    // The shell starts the build, waits until the step runs, interrupts it and reports how long the end took.
    auto output = workspace.tool(
        {"sh", "-c",
         "\"$0\" build --progress plain --build-context base=oci-layout://$PWD/base context 2>log & pid=$!; "
         "for i in $(seq 600); do grep -q 'RUN for' log && break; sleep 0.1; done; sleep 2; "
         "begin=$(date +%s%N); kill -INT $pid; wait $pid; code=$?; "
         "echo $code $(( ($(date +%s%N) - begin) / 1000000 ))",
         MULLION_BINARY_PATH});
    int code = 0, milliseconds = 0;
    ASSERT_EQ(std::sscanf(output.out.c_str(), "%d %d", &code, &milliseconds), 2) << output.out << output.err;
    EXPECT_EQ(code, 130);
    EXPECT_LT(milliseconds, 2000);
    EXPECT_EQ(leftovers(), "");
}

TEST_F(RunStep, KillingMullionLeavesNothingRunningAndLosesNothing) {
    ASSERT_EQ(build("FROM base\nRUN echo first> C:\\first.txt\n", {"-t", "first"}).exit_code, 0);
    workspace.write("context/Dockerfile", "FROM base\nRUN for /l %i in (0,0,1) do @rem\n");
    auto output = workspace.tool(
        {"sh", "-c",
         "\"$0\" build --progress plain --build-context base=oci-layout://$PWD/base context 2>log & pid=$!; "
         "for i in $(seq 600); do grep -q 'RUN for' log && break; sleep 0.1; done; sleep 2; kill -KILL $pid; "
         "wait $pid",
         MULLION_BINARY_PATH});
    std::this_thread::sleep_for(std::chrono::seconds(2));
    EXPECT_EQ(leftovers(), "");
    auto again = build("FROM base\nRUN echo first> C:\\first.txt\n", {"-t", "second"});
    EXPECT_EQ(again.exit_code, 0) << again.err;
    EXPECT_THAT(again.err, HasSubstr("CACHED"));
    EXPECT_EQ(workspace.run({"image", "verify", "second"}).exit_code, 0);
}

}  // namespace
}  // namespace mullion
