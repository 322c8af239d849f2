#include <gtest/gtest.h>
#include <windows.h>

#include <thread>

#include "base/error.hpp"
#include "base/process.hpp"
#include "tests/base/file_fixture.hpp"

namespace mullion::base {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// This very program, doing what the disabled test OurselvesAs.DISABLED_`what` says, besides what gtest
// prints.
ProcessOptions ourselves(const std::string& what) {
    ProcessOptions options;
    wchar_t name[MAX_PATH];
    ::GetModuleFileNameW(nullptr, name, MAX_PATH);
    options.argv = {fs::path(name).string(), "--gtest_filter=OurselvesAs.DISABLED_" + what,
                    "--gtest_also_run_disabled_tests", "--gtest_brief=1"};
    return options;
}

ProcessOptions cmd(const std::string& line) {
    ProcessOptions options;
    options.argv = {"cmd", "/c", line};
    return options;
}

// Lines "[ARGUMENT]" of all arguments after gtest's.
TEST(OurselvesAs, DISABLED_Print) {
    std::vector<std::string> arguments = testing::internal::GetArgvs();
    for (const std::string& argument : arguments) {
        if (argument.rfind("--gtest", 0) != 0) std::printf("[%s]\n", argument.c_str());
    }
}

TEST(OurselvesAs, DISABLED_CopyInput) {
    char buffer[65536];
    while (std::size_t got = std::fread(buffer, 1, sizeof buffer, stdin)) std::fwrite(buffer, 1, got, stdout);
}

TEST(RunProcess, KeepsStreamsApartAndReturnsTheCode) {
    ProcessOutput output = run_and_capture(cmd("echo out&echo err>&2&exit 7"), {});
    EXPECT_EQ(output.exit_code, 7);
    EXPECT_EQ(output.out, "out\r\n");
    EXPECT_EQ(output.err, "err\r\n");
}

TEST(RunProcess, ArgumentsReachTheProgramVerbatim) {
    ProcessOptions options = ourselves("Print");
    for (const char* argument : {"a b", "%PATH%", "*", "", "\"'", "c:\\dir\\", "x\\\\\"y", "tail \\"}) {
        options.argv.emplace_back(argument);
    }
    std::string out = run_and_capture(options, {}).out;
    for (const char* expected :
         {"[a b]", "[%PATH%]", "[*]", "[]", "[\"']", "[c:\\dir\\]", "[x\\\\\"y]", "[tail \\]"}) {
        EXPECT_NE(out.find(expected), std::string::npos) << expected << " in " << out;
    }
}

TEST(RunProcess, MissingProgramIsNotFound) {
    ProcessOptions options;
    options.argv = {"no-such-program-anywhere"};
    EXPECT_EQ(code_of([&] { run_process(options, {}); }), ErrorCode::NotFound);
    options.argv = {"C:\\no\\such\\program.exe"};
    EXPECT_EQ(code_of([&] { run_process(options, {}); }), ErrorCode::NotFound);
}

TEST(RunProcess, StartsInItsDirectory) {
    ProcessOptions options = cmd("cd");
    options.directory = "C:\\windows";
    std::string out = run_and_capture(options, {}).out;
    EXPECT_EQ(::_stricmp(out.c_str(), "C:\\windows\r\n"), 0) << out;
}

TEST(RunProcess, EnvironmentReplacesOurs) {
    ProcessOptions options = cmd("echo %ONLY%-%MULLION_OURS%");
    ::SetEnvironmentVariableW(L"MULLION_OURS", L"ours");
    options.environment.emplace();
    options.environment->emplace("ONLY", "this");
    options.environment->emplace("SystemRoot", "C:\\windows");
    EXPECT_EQ(run_and_capture(options, {}).out, "this-%MULLION_OURS%\r\n");
}

TEST(RunProcess, LargeInputAndOutputDoNotDeadlock) {
    ProcessOptions options = ourselves("CopyInput");
    options.input = std::string(5'000'000, 'z');
    EXPECT_NE(run_and_capture(options, {}).out.find(options.input), std::string::npos);
}

TEST(RunProcess, TimeLimitHolds) {
    ProcessOptions options = cmd("ping -n 1000 127.0.0.1");
    options.time_limit = 200ms;
    auto start = Clock::now();
    EXPECT_EQ(code_of([&] { run_process(options, {}); }), ErrorCode::TimedOut);
    EXPECT_LT(Clock::now() - start, 20s);
}

TEST(RunProcess, CancelEndsIt) {
    CancelSource source;
    std::thread canceler([&] {
        std::this_thread::sleep_for(200ms);
        source.cancel("enough");
    });
    EXPECT_EQ(code_of([&] { run_process(cmd("ping -n 1000 127.0.0.1"), source.token()); }),
              ErrorCode::Canceled);
    canceler.join();
    EXPECT_EQ(code_of([&] { run_process(cmd("exit 0"), source.token()); }), ErrorCode::Canceled);
}

TEST(FindProgram, LooksInPathForAnExe) {
    auto found = find_program("cmd");
    ASSERT_TRUE(found);
    EXPECT_TRUE(std::filesystem::is_regular_file(*found));
    EXPECT_EQ(found->extension(), ".exe");
    EXPECT_EQ(find_program("no-such-program"), std::nullopt);
}

}  // namespace
}  // namespace mullion::base
