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

// This very program prints what it was given (process_windows_test's own main part below).
ProcessOptions echo(std::vector<std::string> arguments) {
    ProcessOptions options;
    wchar_t name[MAX_PATH];
    ::GetModuleFileNameW(nullptr, name, MAX_PATH);
    options.argv = {fs::path(name).string(), "--gtest_filter=EchoArguments.DISABLED_Print",
                    "--gtest_also_run_disabled_tests", "--gtest_brief=1"};
    options.argv.insert(options.argv.end(), arguments.begin(), arguments.end());
    return options;
}

ProcessOptions cmd(const std::string& line) {
    ProcessOptions options;
    options.argv = {"cmd", "/c", line};
    return options;
}

// Not a test: what echo() starts. Lines "[ARGUMENT]" of all arguments after gtest's.
TEST(EchoArguments, DISABLED_Print) {
    std::vector<std::string> arguments = testing::internal::GetArgvs();
    for (const std::string& argument : arguments) {
        if (argument.rfind("--gtest", 0) != 0) std::printf("[%s]\n", argument.c_str());
    }
}

TEST(RunProcess, KeepsStreamsApartAndReturnsTheCode) {
    ProcessOutput output = run_and_capture(cmd("echo out&echo err>&2&exit 7"), {});
    EXPECT_EQ(output.exit_code, 7);
    EXPECT_EQ(output.out, "out\r\n");
    EXPECT_EQ(output.err, "err\r\n");
}

TEST(RunProcess, ArgumentsReachTheProgramVerbatim) {
    std::string out =
        run_and_capture(echo({"a b", "%PATH%", "*", "", "\"'", "c:\\dir\\", "x\\\\\"y", "tail \\"}), {}).out;
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
    ProcessOptions options = cmd("findstr x");
    for (int i = 0; i < 50'000; ++i) options.input += "a line with an x in it\r\n";
    EXPECT_EQ(run_and_capture(options, {}).out.size(), options.input.size());
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
    EXPECT_EQ(code_of([&] { run_process(cmd("pause"), source.token()); }), ErrorCode::Canceled);
    canceler.join();
    EXPECT_EQ(code_of([&] { run_process(cmd("exit 0"), source.token()); }), ErrorCode::Canceled);
}

}  // namespace
}  // namespace mullion::base
