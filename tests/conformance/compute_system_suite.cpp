// What every backend's compute systems and processes must do (hcs.md §1.2, §7.1).
#include <gmock/gmock.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "tests/conformance/hcs_backend.hpp"
#include "tests/support/errors.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST_P(ComputeSystemSuite, EchoReachesStandardOutputAndNothingElse) {
    CommandResult result = run("cmd /S /C \"echo hello\"");
    EXPECT_EQ(result.exit_code, 0u);
    EXPECT_THAT(lines(result.out), ElementsAre("hello"));
    EXPECT_EQ(result.err, "");
    EXPECT_THAT(result.changes.files, IsEmpty());
    EXPECT_THAT(result.changes.registry, IsEmpty());
}

TEST_P(ComputeSystemSuite, StreamsStayApart) {
    CommandResult result = run("cmd /S /C \"echo one& echo two>&2& echo three\"");
    EXPECT_THAT(lines(result.out), ElementsAre("one", "three"));
    EXPECT_THAT(lines(result.err), ElementsAre("two"));
}

TEST_P(ComputeSystemSuite, ExitCodesHaveThirtyTwoBits) {
    auto system = start_system();
    for (std::uint32_t code : {0u, 1u, 256u, 300u, 700u, 3221225477u, 4294967295u}) {
        base::StringSink out, err;
        auto process = system->create_process(
            command("cmd /S /C \"exit " + std::to_string(static_cast<std::int32_t>(code)) + "\""),
            {nullptr, &out, &err}, {});
        EXPECT_EQ(process->wait(std::nullopt, {}).ExitCode, code);
    }
}

TEST_P(ComputeSystemSuite, StandardInputIsReadToItsEnd) {
    base::MemorySource input("alpha\r\nbeta\r\n");
    CommandResult result = run("cmd /C more", {}, &input);
    EXPECT_THAT(result.out, HasSubstr("alpha"));
    EXPECT_THAT(result.out, HasSubstr("beta"));
}

// Waits as a terminal does, until it is interrupted.
class OpenInput final : public base::Source {
  public:
    std::size_t read(char*, std::size_t) override {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return interrupted_; });
        return 0;
    }
    void interrupt() {
        std::lock_guard lock(mutex_);
        interrupted_ = true;
        changed_.notify_all();
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool interrupted_ = false;
};

TEST_P(ComputeSystemSuite, InputThatNeverEndsDoesNotKeepAnEndedProcess) {
    auto system = start_system();
    OpenInput input;
    base::StringSink out, err;
    hcs::ProcessParameters parameters = command("cmd /C echo done");
    parameters.CreateStdInPipe = true;
    auto process = system->create_process(parameters, {&input, &out, &err, [&] { input.interrupt(); }}, {});
    EXPECT_EQ(process->wait(std::nullopt, {}).ExitCode, 0u);
    process.reset();
    EXPECT_THAT(lines(out.data()), ElementsAre("done"));
}

TEST_P(ComputeSystemSuite, OutputOfAGrandchildThatWritesOnIsNotWaitedFor) {
    // Slower than the writer, so that there is always something to read.
    struct SlowSink final : base::Sink {
        void write(std::string_view text) override {
            data += text;
            std::this_thread::sleep_for(50ms);
        }
        std::string data;
    };
    auto system = start_system();
    SlowSink out;
    base::StringSink err;
    auto process = system->create_process(
        command("cmd /S /C \"start /b cmd /c for /L %i in (0,0,1) do @echo x\""), {nullptr, &out, &err}, {});
    EXPECT_TRUE(process->wait(std::nullopt, {}).Exited);
    process.reset();
    EXPECT_THAT(out.data, HasSubstr("x"));
}

TEST_P(ComputeSystemSuite, VariablesAndCommandLineArriveVerbatim) {
    CommandResult result = run("cmd /S /C \"set MULLION_\"", [](hcs::ProcessParameters& parameters) {
        parameters.Environment["MULLION_A"] = "x=y;\"quoted\" %PATH% & |";
        parameters.Environment["mullion_b"] = "  spaces  ";
    });
    EXPECT_THAT(result.out, HasSubstr("MULLION_A=x=y;\"quoted\" %PATH% & |\r\n"));
    EXPECT_THAT(result.out, HasSubstr("mullion_b=  spaces  \r\n"));
}

TEST_P(ComputeSystemSuite, GivenVariablesReplaceDefaultsWhateverTheirCase) {
    CommandResult result = run("cmd /S /C \"set username\"", [](hcs::ProcessParameters& parameters) {
        parameters.Environment["userName"] = "somebody";
    });
    EXPECT_THAT(lines(result.out), ElementsAre("userName=somebody"));
}

TEST_P(ComputeSystemSuite, UsersDifferInNameAndProfile) {
    CommandResult result = run("cmd /S /C \"echo %USERNAME% %USERPROFILE%\"",
                               [](hcs::ProcessParameters& parameters) { parameters.User = "containeruser"; });
    EXPECT_THAT(lines(result.out), ElementsAre("ContainerUser C:\\Users\\ContainerUser"));
}

TEST_P(ComputeSystemSuite, UnknownUserIsRefused) {
    auto system = start_system();
    hcs::ProcessParameters parameters = command("cmd /C ver");
    parameters.User = "nobody";
    base::StringSink out, err;
    base::Error error = error_of([&] { system->create_process(parameters, {nullptr, &out, &err}, {}); });
    EXPECT_EQ(error.code(), ErrorCode::NotFound);
    EXPECT_THAT(error.what(), HasSubstr("nobody"));
}

TEST_P(ComputeSystemSuite, UserOfTheImageIsAccepted) {
    options_.users = {"builder"};
    CommandResult result = run("cmd /S /C \"echo %USERNAME%\"",
                               [](hcs::ProcessParameters& parameters) { parameters.User = "builder"; });
    EXPECT_THAT(lines(result.out), ElementsAre("builder"));
}

TEST_P(ComputeSystemSuite, WorkingDirectoryIsWhereTheProcessStarts) {
    write("src/app/readme.txt", "x");
    CommandResult result = run("cmd /S /C cd", [](hcs::ProcessParameters& parameters) {
        parameters.WorkingDirectory = "C:\\SRC\\app";
    });
    EXPECT_THAT(result.out, HasSubstr("\\app"));
    EXPECT_EQ(result.exit_code, 0u);
}

// The process fails, or there is none.
TEST_P(ComputeSystemSuite, MissingWorkingDirectoryFailsByName) {
    auto in_absent = [](hcs::ProcessParameters& parameters) { parameters.WorkingDirectory = "C:\\absent"; };
    try {
        CommandResult result = run("cmd /C ver", in_absent);
        EXPECT_NE(result.exit_code, 0u);
        EXPECT_THAT(result.err, HasSubstr("C:\\absent"));
    } catch (const base::Error& error) {
        EXPECT_THAT(error.what(), HasSubstr("C:\\absent"));
    }
}

TEST_P(ComputeSystemSuite, VersionIsTheImages) {
    EXPECT_THAT(run("cmd /C ver").out, HasSubstr("10.0.20348"));
}

TEST_P(ComputeSystemSuite, HostNameIsTheDocuments) {
    hcs::ComputeSystemDocument with_name = document();
    with_name.Container.GuestOs = hcs::GuestOs{"build-7"};
    auto system = backend_.compute->create("named", with_name, {});
    system->start({});
    base::StringSink out, err;
    auto process = system->create_process(command("cmd /S /C \"hostname& echo %COMPUTERNAME%\""),
                                          {nullptr, &out, &err}, {});
    process->wait(std::nullopt, {});
    EXPECT_THAT(lines(out.data()), ElementsAre(testing::StrCaseEq("build-7"), "BUILD-7"));
}

TEST_P(ComputeSystemSuite, DirectoryListingsWork) {
    write("data/One.txt", "1");
    CommandResult result = run("cmd /S /C \"dir C:\\data\"");
    EXPECT_EQ(result.exit_code, 0u) << result.err;
    EXPECT_THAT(result.out, HasSubstr("One.txt"));
}

TEST_P(ComputeSystemSuite, MappedDirectoriesAreSharedAsTheDocumentSays) {
    base::write_file_atomic(scratch("mapped/in.txt"), "from outside");
    hcs::ComputeSystemDocument mapped = document();
    std::string host = scratch("mapped").string();
    mapped.Container.MappedDirectories = {{host, "C:\\work\\rw", false}, {host, "C:\\work\\ro", true}};
    auto system = backend_.compute->create("mapped", mapped, {});
    system->start({});
    base::StringSink out, err;
    auto process =
        system->create_process(command("cmd /S /C \"type C:\\work\\ro\\in.txt& echo "
                                       "out>C:\\work\\rw\\out.txt& echo no>C:\\work\\ro\\no.txt\""),
                               {nullptr, &out, &err}, {});
    process->wait(std::nullopt, {});
    EXPECT_THAT(out.data(), HasSubstr("from outside"));
    EXPECT_TRUE(std::filesystem::exists(scratch("mapped/out.txt")));
    EXPECT_FALSE(std::filesystem::exists(scratch("mapped/no.txt")));
    process.reset();
    system->shut_down({});
    EXPECT_THAT(backend_.storage->export_layer(last_scratch_, {}).files, IsEmpty());
}

TEST_P(ComputeSystemSuite, StatesAreEnforced) {
    hcs::ComputeSystemDocument configuration = document();
    auto system = backend_.compute->create("one", configuration, {});
    EXPECT_EQ(system->state(), hcs::SystemState::Created);
    base::StringSink out, err;
    base::Error early = error_of([&] {
        system->create_process(command("cmd /C ver"), {nullptr, &out, &err}, {});
    });
    EXPECT_THAT(early.what(), HasSubstr("HCS_E_INVALID_STATE"));

    system->start({});
    EXPECT_EQ(system->state(), hcs::SystemState::Running);
    EXPECT_THAT(error_of([&] { system->start({}); }).what(), HasSubstr("HCS_E_INVALID_STATE"));

    system->terminate();
    EXPECT_EQ(system->state(), hcs::SystemState::Stopped);
    system->terminate();
    EXPECT_THAT(error_of([&] { system->shut_down({}); }).what(), HasSubstr("HCS_E_INVALID_STATE"));
    EXPECT_THAT(error_of([&] { system->start({}); }).what(), HasSubstr("HCS_E_INVALID_STATE"));
}

TEST_P(ComputeSystemSuite, DuplicateIdIsRefusedUntilTheFirstIsGone) {
    hcs::ComputeSystemDocument configuration = document();
    auto first = backend_.compute->create("same", configuration, {});
    base::Error error = error_of([&] { backend_.compute->create("same", configuration, {}); });
    EXPECT_EQ(error.code(), ErrorCode::Exists);
    EXPECT_THAT(error.what(), HasSubstr("HCS_E_SYSTEM_ALREADY_EXISTS"));
    first.reset();
    EXPECT_NE(backend_.compute->create("same", configuration, {}), nullptr);
}

TEST_P(ComputeSystemSuite, StreamsMustMatchTheFlags) {
    auto system = start_system();
    hcs::ProcessParameters parameters = command("cmd /C ver");
    base::StringSink out;
    EXPECT_EQ(error_of([&] {
                  system->create_process(parameters, {nullptr, &out, nullptr}, {});
              }).code(),
              ErrorCode::Invalid);
    parameters.CreateStdErrPipe = false;
    base::StringSink err;
    EXPECT_EQ(error_of([&] {
                  system->create_process(parameters, {nullptr, &out, &err}, {});
              }).code(),
              ErrorCode::Invalid);
}

TEST_P(ComputeSystemSuite, WaitReturnsAtTheDeadlineWhileTheProcessRuns) {
    auto system = start_system();
    base::StringSink out, err;
    auto process =
        system->create_process(command("cmd /C \"for /L %i in (0,0,1) do rem\""), {nullptr, &out, &err}, {});
    hcs::ProcessStatus status = process->wait(std::chrono::steady_clock::now() + 300ms, {});
    EXPECT_FALSE(status.Exited);
    process->signal(hcs::Signal::Kill);
    EXPECT_TRUE(process->wait(std::chrono::steady_clock::now() + 30s, {}).Exited);
    EXPECT_THAT(error_of([&] { process->signal(hcs::Signal::Kill); }).what(),
                HasSubstr("HCS_E_PROCESS_ALREADY_STOPPED"));
}

TEST_P(ComputeSystemSuite, KillEndsTheWholeProcessTree) {
    auto system = start_system();
    base::StringSink out, err;
    auto process =
        system->create_process(command("cmd /C \"cmd /C for /L %i in (0,0,1) do @echo x>>C:\\alive.txt\""),
                               {nullptr, &out, &err}, {});
    process->wait(std::chrono::steady_clock::now() + 1s, {});
    process->signal(hcs::Signal::Kill);
    process->wait(std::nullopt, {});
    auto count = [&] {
        base::StringSink counted, ignored;
        auto counter = system->create_process(command("cmd /C for %f in (C:\\alive.txt) do @echo %f %~zf"),
                                              {nullptr, &counted, &ignored}, {});
        counter->wait(std::nullopt, {});
        return counted.take();
    };
    std::string first = count();
    EXPECT_THAT(first, HasSubstr("alive.txt"));
    EXPECT_EQ(count(), first);
}

TEST_P(ComputeSystemSuite, CancelEndsAWaitAtOnceAndLeavesNothing) {
    auto system = start_system();
    base::StringSink out, err;
    auto process =
        system->create_process(command("cmd /C \"for /L %i in (0,0,1) do rem\""), {nullptr, &out, &err}, {});
    base::CancelSource source;
    std::thread canceler([&] {
        std::this_thread::sleep_for(300ms);
        source.cancel();
    });
    EXPECT_EQ(error_of([&] { process->wait(std::nullopt, source.token()); }).code(), ErrorCode::Canceled);
    canceler.join();
    auto begin = std::chrono::steady_clock::now();
    process.reset();
    system.reset();
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 2s);
}

TEST_P(ComputeSystemSuite, HangingProcessMeetsTheTimeLimit) {
    use_limits({.tasks = 512, .time_limit = 3s});
    auto system = start_system();
    base::StringSink out, err;
    auto process =
        system->create_process(command("cmd /C \"for /L %i in (0,0,1) do rem\""), {nullptr, &out, &err}, {});
    EXPECT_EQ(error_of([&] { process->wait(std::nullopt, {}); }).code(), ErrorCode::TimedOut);
}

TEST_P(ComputeSystemSuite, ForkBombMeetsTheTaskLimit) {
    write("bomb.cmd",
          "@start /b cmd /c C:\\bomb.cmd\r\n@start /b cmd /c C:\\bomb.cmd\r\n@cmd /c C:\\bomb.cmd\r\n");
    use_limits({.tasks = 100, .time_limit = 100s});
    auto system = start_system();
    base::StringSink out, err;
    auto process = system->create_process(command("cmd /C C:\\bomb.cmd"), {nullptr, &out, &err}, {});
    base::Error error = error_of([&] { process->wait(std::nullopt, {}); });
    EXPECT_EQ(error.code(), ErrorCode::Exhausted);
    EXPECT_THAT(error.what(), HasSubstr("100"));
}

TEST_P(ComputeSystemSuite, TerminatedSystemFailsItsWaiters) {
    auto system = start_system();
    base::StringSink out, err;
    auto process =
        system->create_process(command("cmd /C \"for /L %i in (0,0,1) do rem\""), {nullptr, &out, &err}, {});
    std::thread terminator([&] {
        std::this_thread::sleep_for(300ms);
        system->terminate();
    });
    EXPECT_EQ(error_of([&] { process->wait(std::nullopt, {}); }).code(), ErrorCode::Process);
    terminator.join();
}

TEST_P(ComputeSystemSuite, FailingSinkEndsTheProcess) {
    struct FullSink final : base::Sink {
        void write(std::string_view) override { throw base::fail(ErrorCode::Exhausted, "no room"); }
    };
    auto system = start_system();
    FullSink out;
    base::StringSink err;
    auto process = system->create_process(command("cmd /C \"for /L %i in (0,0,1) do echo x\""),
                                          {nullptr, &out, &err}, {});
    EXPECT_EQ(error_of([&] { process->wait(std::nullopt, {}); }).code(), ErrorCode::Exhausted);
}

TEST_P(ComputeSystemSuite, StatisticsTellWhatProcessesUsed) {
    auto system = start_system();
    hcs::Statistics before = system->statistics();
    base::StringSink out, err;
    auto process = system->create_process(command("cmd /S /C \"for /L %i in (1,1,20000) do @set x=%i\""),
                                          {nullptr, &out, &err}, {});
    EXPECT_EQ(process->wait(std::nullopt, {}).ExitCode, 0u);
    hcs::Statistics after = system->statistics();
    EXPECT_GT(after.Uptime100ns, before.Uptime100ns);
    EXPECT_LT(after.Uptime100ns, 600 * std::uint64_t{10'000'000});
    if (after.Processor.TotalRuntime100ns == 0) GTEST_SKIP() << "nobody counts here";
    std::uint64_t used = after.Processor.TotalRuntime100ns - before.Processor.TotalRuntime100ns;
    std::uint64_t passed = after.Uptime100ns - before.Uptime100ns;
    EXPECT_GT(used, 10'000u);  // a millisecond
    EXPECT_LE(used, passed * std::thread::hardware_concurrency());
    EXPECT_GE(after.Processor.TotalRuntime100ns, after.Processor.RuntimeUser100ns);
    EXPECT_GT(after.Memory.MemoryUsageCommitPeakBytes, 1u << 20);
    EXPECT_GE(after.Memory.MemoryUsageCommitPeakBytes, before.Memory.MemoryUsageCommitPeakBytes);
    process.reset();
    system->shut_down({});
    EXPECT_THAT(error_of([&] { system->statistics(); }).what(), HasSubstr("HCS_E_INVALID_STATE"));
}

TEST_P(ComputeSystemSuite, NetworkOfNoneIsAbsent) {
    EXPECT_EQ(backend_.compute->networking({hcs::NetworkMode::None}), std::nullopt);
}

TEST_P(ComputeSystemSuite, TextThatIsNotUtf8IsRefused) {
    auto system = start_system();
    base::StringSink out, err;
    auto refused = [&](const hcs::ProcessParameters& parameters) {
        return error_of([&] { system->create_process(parameters, {nullptr, &out, &err}, {}); });
    };
    EXPECT_THAT(refused(command("cmd /C echo \xff")).what(), HasSubstr("CommandLine"));
    hcs::ProcessParameters parameters = command("cmd /C ver");
    parameters.Environment["A"] = "\xc3";
    EXPECT_THAT(refused(parameters).what(), HasSubstr("Environment"));
}

TEST_P(ComputeSystemSuite, VersionsOfAnotherFormAreRefused) {
    options_.os_version = "10.0.20348.2700.1";
    EXPECT_THAT(error_of([&] { start_system(); }).what(), HasSubstr("10.0.20348.2700.1"));
}

TEST_P(ComputeSystemSuite, UnicodeReachesTheProgramAndItsFiles) {
    CommandResult result = run("cmd /S /C \"echo x>C:\\Grüße-日本.txt\"");
    EXPECT_EQ(result.exit_code, 0u);
    EXPECT_THAT(result.paths(hcs::RawChange::Kind::File), ElementsAre("Grüße-日本.txt"));
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ComputeSystemSuite);

}  // namespace mullion::test
