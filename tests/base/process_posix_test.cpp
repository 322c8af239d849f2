#include "base/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/support/errors.hpp"

namespace mullion::base {
namespace {

using namespace std::chrono_literals;
using test::code_of;
using Clock = std::chrono::steady_clock;

ProcessOptions shell(const std::string& script) {
    ProcessOptions options;
    options.argv = {"sh", "-c", script};
    return options;
}

// False also for a zombie that its new parent has not reaped yet.
bool alive(pid_t pid) {
    std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
    std::string number, name, state;
    return stat >> number >> name >> state && state != "Z" && state != "X";
}

void expect_dead_soon(pid_t pid) {
    for (int i = 0; i < 200 && alive(pid); ++i) std::this_thread::sleep_for(10ms);
    EXPECT_FALSE(alive(pid));
}

TEST(RunProcess, KeepsStreamsApartAndReturnsTheCode) {
    ProcessOutput output = run_and_capture(shell("echo out; echo err >&2; exit 7"), {});
    EXPECT_EQ(output.exit_code, 7);
    EXPECT_EQ(output.out, "out\n");
    EXPECT_EQ(output.err, "err\n");
}

TEST(RunProcess, ArgumentsReachTheProgramVerbatim) {
    ProcessOptions options;
    options.argv = {"printf", "%s|", "a b", "$HOME", "*", "", "\"'"};
    EXPECT_EQ(run_and_capture(options, {}).out, "a b|$HOME|*||\"'|");
}

TEST(RunProcess, EnvironmentReplacesOurs) {
    ProcessOptions options;
    options.argv = {"/usr/bin/env"};
    options.environment.emplace();
    options.environment->emplace("ONLY", "this");
    EXPECT_EQ(run_and_capture(options, {}).out, "ONLY=this\n");
    options.environment.emplace();
    EXPECT_EQ(run_and_capture(options, {}).out, "");
}

TEST(RunProcess, MayGainNoPrivileges) {
    ProcessOptions options;
    options.argv = {"grep", "NoNewPrivs", "/proc/self/status"};
    options.no_new_privileges = true;
    EXPECT_EQ(run_and_capture(options, {}).out, "NoNewPrivs:\t1\n");
}

TEST(RunProcess, StartsInItsDirectory) {
    ProcessOptions options = shell("pwd");
    options.directory = "/";
    EXPECT_EQ(run_and_capture(options, {}).out, "/\n");
    options.directory = "/no/such/directory";
    EXPECT_EQ(code_of([&] { run_process(options, {}); }), ErrorCode::NotFound);
}

TEST(RunProcess, MissingProgramIsNotFound) {
    ProcessOptions options;
    options.argv = {"no-such-program-anywhere"};
    EXPECT_EQ(code_of([&] { run_process(options, {}); }), ErrorCode::NotFound);
    options.argv = {"/etc/passwd"};
    EXPECT_EQ(code_of([&] { run_process(options, {}); }), ErrorCode::Denied);
}

TEST(RunProcess, SignalsBecome128AndMore) {
    EXPECT_EQ(run_process(shell("kill -TERM $$"), {}), 128 + SIGTERM);
}

TEST(RunProcess, LargeInputAndOutputDoNotDeadlock) {
    ProcessOptions options;
    options.argv = {"cat"};
    options.input = std::string(5'000'000, 'z');
    EXPECT_EQ(run_and_capture(options, {}).out, options.input);
}

TEST(RunProcess, ProgramThatDoesNotReadItsInputIsNoProblem) {
    ProcessOptions options = shell("exec 0<&-; sleep 0.05; exit 3");
    options.input = std::string(5'000'000, 'z');
    EXPECT_EQ(run_process(options, {}), 3);
    sigset_t pending;
    sigpending(&pending);
    EXPECT_EQ(sigismember(&pending, SIGPIPE), 0);
}

TEST(RunProcess, CaptureIsCutAtItsLimit) {
    ProcessOutput output = run_and_capture(shell("head -c 100000 /dev/zero"), {}, 1000);
    EXPECT_EQ(output.out.size(), 1000u);
}

TEST(RunProcess, CancelKillsTheWholeGroup) {
    TempDir directory(fs::temp_directory_path(), "process-test");
    fs::path pids = directory.path() / "pid";
    CancelSource source;
    std::thread canceler([&] {
        while (!fs::exists(pids)) std::this_thread::sleep_for(5ms);
        source.cancel("enough");
    });
    auto script = "sleep 1000 & echo $! >" + pids.string() + ".tmp; mv " + pids.string() + ".tmp " +
                  pids.string() + "; wait";
    EXPECT_EQ(code_of([&] { run_process(shell(script), source.token()); }), ErrorCode::Canceled);
    canceler.join();
    expect_dead_soon(std::stoi(read_file(pids, 100)));
}

TEST(RunProcess, CanceledBeforeStartRunsNothing) {
    CancelSource source;
    source.cancel();
    EXPECT_EQ(code_of([&] { run_process(shell("exit 0"), source.token()); }), ErrorCode::Canceled);
}

TEST(RunProcess, TimeLimitHoldsEvenWithItsOutputsClosed) {
    for (const char* script : {"sleep 1000", "exec >&- 2>&-; sleep 1000"}) {
        ProcessOptions options = shell(script);
        options.time_limit = 50ms;
        auto start = Clock::now();
        EXPECT_EQ(code_of([&] { run_process(options, {}); }), ErrorCode::TimedOut);
        EXPECT_LT(Clock::now() - start, 20s);
    }
}

TEST(RunProcess, GrandchildThatKeepsTheOutputOpenDoesNotHoldUs) {
    auto start = Clock::now();
    ProcessOutput output = run_and_capture(shell("sleep 1000 & echo $!"), {});
    EXPECT_EQ(output.exit_code, 0);
    EXPECT_LT(Clock::now() - start, 20s);
    expect_dead_soon(std::stoi(output.out));
}

TEST(RunProcess, ThrowingConsumerStopsTheProgram) {
    ProcessOptions options = shell("echo $$; sleep 1000");
    pid_t pid = 0;
    options.on_stdout = [&](std::string_view text) {
        pid = std::stoi(std::string(text));
        throw std::runtime_error("no more");
    };
    EXPECT_THROW(run_process(options, {}), std::runtime_error);
    expect_dead_soon(pid);
}

// A cancel that comes when the child has just been reaped must hit nobody: its number is no longer its own.
TEST(RunProcess, CancelAtTheMomentOfExitIsHarmless) {
    for (int i = 0; i < 100; ++i) {
        CancelSource source;
        std::thread canceler([&, i] {
            std::this_thread::sleep_for(std::chrono::microseconds(i * 30));
            source.cancel();
        });
        try {
            EXPECT_EQ(run_process(shell("exit 0"), source.token()), 0);
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Canceled);
        }
        canceler.join();
    }
}

TEST(FindProgram, LooksWhereAProgramWouldBeRunFrom) {
    TempDir directory(std::filesystem::temp_directory_path());
    std::string before = std::getenv("PATH");
    ::setenv("PATH", ("/absent:" + directory.path().string()).c_str(), 1);
    std::filesystem::path program = directory.path() / "tool";
    EXPECT_EQ(find_program("tool"), std::nullopt);
    write_file_atomic(program, "#!/bin/sh\n");
    std::filesystem::permissions(program, std::filesystem::perms::owner_read);
    EXPECT_EQ(find_program("tool"), std::nullopt);
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    EXPECT_EQ(find_program("tool"), program);
    ::setenv("PATH", before.c_str(), 1);
}

}  // namespace
}  // namespace mullion::base
