// The native code on the doubles of the host's libraries: what a RUN needs of compute systems.
#include <gmock/gmock.h>

#include <thread>

#include "base/error.hpp"
#include "hcs/native.hpp"
#include "tests/hcs/fake_host.hpp"
#include "tests/support/errors.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

// Without the line ends of the C library.
std::string plain(std::string text) {
    std::erase(text, '\r');
    return text;
}

class NativeCompute : public FakeHost {
  protected:
    NativeCompute() { use({}); }

    void use(const hcs::NativeOptions& options) { service_ = hcs::make_native_compute_service(options); }
    std::unique_ptr<hcs::ComputeSystem> start_system(const std::string& id = "one") {
        auto system = service_->create(id, document(), {});
        system->start({});
        return system;
    }
    std::unique_ptr<hcs::Process> start(hcs::ComputeSystem& system, std::string_view arguments) {
        return system.create_process(child(arguments), {nullptr, &out_, &err_}, {});
    }

    base::StringSink out_, err_;
    std::unique_ptr<hcs::ComputeService> service_;
};

TEST_F(NativeCompute, AProcessRunsFromCreateToShutDown) {
    auto system = start_system();
    EXPECT_EQ(system->state(), hcs::SystemState::Running);
    auto process = start(*system, "print hello");
    EXPECT_NE(process->id(), 0u);
    hcs::ProcessStatus status = process->wait(std::nullopt, {});
    EXPECT_TRUE(status.Exited);
    EXPECT_EQ(status.ExitCode, 0u);
    EXPECT_EQ(plain(out_.data()), "hello\n");
    EXPECT_EQ(plain(err_.data()), "aside\n");
    process.reset();
    EXPECT_EQ(system->shut_down({}).ExitType, "GracefulExit");
    EXPECT_EQ(system->state(), hcs::SystemState::Stopped);
    system.reset();
    EXPECT_THAT(calls(),
                ElementsAre("HcsCreateComputeSystem", "HcsStartComputeSystem", "HcsCreateProcess",
                            "HcsGetProcessProperties", "HcsShutDownComputeSystem", "HcsCloseComputeSystem"));
}

TEST_F(NativeCompute, TheDocumentIsTheSchemasOwn) {
    hcs::ComputeSystemDocument configuration = document();
    auto system = service_->create("one", configuration, {});
    EXPECT_THAT(log(), HasSubstr("HcsCreateComputeSystem one {\"Owner\":\"test\",\"SchemaVersion\":"
                                 "{\"Major\":2,\"Minor\":1},\"ShouldTerminateOnLastHandleClosed\":true"));
    // So that a graceful stop is not cut off after five seconds.
    EXPECT_THAT(log(), HasSubstr("WaitToKillServiceTimeout"));
}

TEST_F(NativeCompute, ExitCodesHaveThirtyTwoBits) {
    auto system = start_system();
    for (std::uint32_t code : {1u, 256u, 3221225477u, 4294967295u}) {
        EXPECT_EQ(start(*system, "exit " + std::to_string(code))->wait(std::nullopt, {}).ExitCode, code);
    }
}

TEST_F(NativeCompute, StandardInputIsReadToItsEnd) {
    auto system = start_system();
    std::string text(300'000, 'a');
    base::MemorySource input(text);
    hcs::ProcessParameters parameters = child("cat");
    parameters.CreateStdInPipe = true;
    auto process = system->create_process(parameters, {&input, &out_, &err_}, {});
    EXPECT_EQ(process->wait(Clock::now() + 30s, {}).ExitCode, 0u);
    EXPECT_EQ(out_.data(), text);
    EXPECT_THAT(log(), HasSubstr(R"({"Operation":"CloseHandle","CloseHandle":{"Handle":"StdIn"}})"));
}

TEST_F(NativeCompute, VariablesAndDirectoryArrive) {
    auto system = start_system();
    hcs::ProcessParameters parameters = child("variable GREETING");
    parameters.Environment["GREETING"] = "x=y;\"quoted\"";
    system->create_process(parameters, {nullptr, &out_, &err_}, {})->wait(std::nullopt, {});
    EXPECT_EQ(plain(out_.take()), "x=y;\"quoted\"\n");
    parameters = child("directory");
    parameters.WorkingDirectory = "C:\\sub";
    system->create_process(parameters, {nullptr, &out_, &err_}, {})->wait(std::nullopt, {});
    EXPECT_THAT(plain(out_.data()), EndsWith("\\scratch\\sub\n"));
}

TEST_F(NativeCompute, StatesAreEnforced) {
    auto system = service_->create("one", document(), {});
    EXPECT_EQ(system->state(), hcs::SystemState::Created);
    EXPECT_THAT(error_of([&] { start(*system, "exit 0"); }).what(), HasSubstr("HCS_E_INVALID_STATE"));
    system->start({});
    EXPECT_THAT(error_of([&] { system->start({}); }).what(), HasSubstr("HCS_E_INVALID_STATE"));
    system->terminate();
    system->terminate();
    EXPECT_EQ(system->state(), hcs::SystemState::Stopped);
    EXPECT_THAT(error_of([&] { system->shut_down({}); }).what(), HasSubstr("HCS_E_INVALID_STATE"));
}

TEST_F(NativeCompute, DuplicateIdsAreRefusedInBothFamiliesAndHarmNobody) {
    auto first = start_system();
    for (const char* family : {"", "legacy"}) {
        set("family", family);
        base::Error error = error_of([&] { service_->create("one", document(), {}); });
        EXPECT_EQ(error.code(), ErrorCode::Exists);
        EXPECT_THAT(error.what(), HasSubstr("HCS_E_SYSTEM_ALREADY_EXISTS"));
    }
    EXPECT_EQ(first->state(), hcs::SystemState::Running);
}

TEST_F(NativeCompute, ImagesOfAnotherBuildAreRefusedByName) {
    set("layer/build", "17763");
    base::Error error = error_of([&] { service_->create("one", document(), {}); });
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_THAT(error.what(), HasSubstr("HCS_E_IMAGE_MISMATCH"));
    EXPECT_THAT(error.hint(), HasSubstr("--isolation=hyperv"));
    set("build", "17763");
    EXPECT_NE(service_->create("one", document(), {}), nullptr);
}

TEST_F(NativeCompute, RefusalsCarryTheHostsWords) {
    hcs::ComputeSystemDocument configuration = document();
    configuration.Container.Storage.Layers[0].Path = (directory() / "absent").string();
    base::Error error = error_of([&] { service_->create("one", configuration, {}); });
    EXPECT_EQ(error.code(), ErrorCode::Corrupt);
    EXPECT_THAT(error.what(), HasSubstr("absent"));
}

TEST_F(NativeCompute, WaitReturnsAtTheDeadlineAndKillEndsIt) {
    auto system = start_system();
    auto process = start(*system, "sleep");
    EXPECT_FALSE(process->wait(Clock::now() + 200ms, {}).Exited);
    process->signal(hcs::Signal::Kill);
    EXPECT_EQ(process->wait(Clock::now() + 30s, {}).ExitCode, 0xffffffffu);
    EXPECT_THAT(error_of([&] { process->signal(hcs::Signal::Kill); }).what(),
                HasSubstr("HCS_E_PROCESS_ALREADY_STOPPED"));
}

TEST_F(NativeCompute, AKillThatFindsNoOtherHandleUsesItsOwn) {
    auto system = start_system();
    fault("HcsOpenComputeSystem");
    auto process = start(*system, "sleep");
    process->signal(hcs::Signal::Kill);
    EXPECT_TRUE(process->wait(Clock::now() + 30s, {}).Exited);
}

TEST_F(NativeCompute, AProcessThatIsDyingMayDenyAccess) {
    auto system = start_system();
    fault("Dying");
    auto process = start(*system, "sleep");
    process->signal(hcs::Signal::Kill);  // not reported in time: taken for granted
    EXPECT_EQ(process->wait(Clock::now() + 30s, {}).ExitCode, 0xffffffffu);
}

TEST_F(NativeCompute, ControlCIsDelivered) {
    auto system = start_system();
    auto process = start(*system, "sleep");
    process->signal(hcs::Signal::CtrlC);
    EXPECT_EQ(process->wait(Clock::now() + 30s, {}).ExitCode, 0xC000013Au);
    EXPECT_THAT(log(), HasSubstr(R"({"Signal":"CtrlC"})"));
}

TEST_F(NativeCompute, CancelEndsAWaitAtOnce) {
    auto system = start_system();
    auto process = start(*system, "sleep");
    base::CancelSource source;
    std::thread canceler([&] {
        ::Sleep(200);
        source.cancel();
    });
    EXPECT_EQ(error_of([&] { process->wait(std::nullopt, source.token()); }).code(), ErrorCode::Canceled);
    canceler.join();
}

TEST_F(NativeCompute, TerminatedSystemsFailTheirWaiters) {
    auto system = start_system();
    // Whichever report comes first, of the process or of its system, must not leave the waiter behind.
    fault("ProcessExited");
    auto process = start(*system, "sleep");
    std::thread terminator([&] {
        ::Sleep(200);
        system->terminate();
    });
    EXPECT_EQ(error_of([&] { process->wait(std::nullopt, {}); }).code(), ErrorCode::Process);
    terminator.join();
}

TEST_F(NativeCompute, ADeadServiceFailsItsWaiters) {
    auto system = start_system();
    auto process = start(*system, "sleep");
    disconnect();
    base::Error error = error_of([&] { process->wait(std::nullopt, {}); });
    EXPECT_EQ(error.code(), ErrorCode::Process);
    EXPECT_THAT(error.what(), HasSubstr("HCS_E_SERVICE_DISCONNECT"));
    EXPECT_EQ(system->state(), hcs::SystemState::Stopped);
}

TEST_F(NativeCompute, UnexpectedExitIsAFailure) {
    auto system = start_system();
    fault("ProcessExited");
    auto process = start(*system, "sleep");
    exit_unexpectedly("one");
    EXPECT_EQ(error_of([&] { process->wait(std::nullopt, {}); }).code(), ErrorCode::Process);
}

TEST_F(NativeCompute, FailingSinkEndsTheProcess) {
    struct FullSink final : base::Sink {
        void write(std::string_view) override { throw base::fail(ErrorCode::Exhausted, "no room"); }
    };
    auto system = start_system();
    FullSink out;
    auto process = system->create_process(child("flood"), {nullptr, &out, &err_}, {});
    EXPECT_EQ(error_of([&] { process->wait(Clock::now() + 30s, {}); }).code(), ErrorCode::Exhausted);
}

TEST_F(NativeCompute, OutputThatAGrandchildKeepsOpenIsNotWaitedFor) {
    auto system = start_system();
    auto process = start(*system, "leave");
    auto begin = Clock::now();
    EXPECT_TRUE(process->wait(Clock::now() + 30s, {}).Exited);
    EXPECT_LT(Clock::now() - begin, 12s) << "it slept for 15";
    EXPECT_EQ(plain(out_.data()), "left\n");
}

TEST_F(NativeCompute, ARequestThatHangsEndsWithItsSystem) {
    use({.create_limit = 300ms});
    auto system = service_->create("one", document(), {});
    fault("HcsStartComputeSystem.result", "hang");
    EXPECT_EQ(error_of([&] { system->start({}); }).code(), ErrorCode::TimedOut);
    EXPECT_EQ(system->state(), hcs::SystemState::Stopped);
}

TEST_F(NativeCompute, CancelEndsARequestThatHangs) {
    auto system = service_->create("one", document(), {});
    fault("HcsStartComputeSystem.result", "hang");
    base::CancelSource source;
    std::thread canceler([&] {
        ::Sleep(200);
        source.cancel();
    });
    EXPECT_EQ(error_of([&] { system->start(source.token()); }).code(), ErrorCode::Canceled);
    canceler.join();
}

TEST_F(NativeCompute, WhatDoesNotShutDownIsTerminated) {
    use({.shut_down_limit = 300ms});
    auto system = start_system();
    fault("HcsShutDownComputeSystem.result", "hang");
    EXPECT_EQ(system->shut_down({}).ExitType, "ForcedExit");
}

TEST_F(NativeCompute, EndsThatAreNotReportedAreTakenForGranted) {
    auto system = start_system();
    fault("SystemExited");
    system->terminate();
    EXPECT_EQ(system->state(), hcs::SystemState::Stopped);
}

TEST_F(NativeCompute, HostsNetworkAndMemoryDirectoriesAreRefused) {
    EXPECT_EQ(service_->networking({hcs::NetworkMode::None}), std::nullopt);
    EXPECT_EQ(error_of([&] { service_->networking({hcs::NetworkMode::Host}); }).code(),
              ErrorCode::Unsupported);
    EXPECT_EQ(error_of([&] { service_->memory_directory("C:\\x", 0); }).code(), ErrorCode::Unsupported);
}

TEST_F(NativeCompute, NetworksAreAsAsked) {
    auto networking = service_->networking({.mode = hcs::NetworkMode::Nat,
                                            .dns = {"", {"corp.example", "example"}, {"10.20.0.53"}},
                                            .ports = {{6, 80, 8080, ""}}});
    EXPECT_EQ(networking->DnsSearchList, "corp.example,example");
    EXPECT_THAT(log(), HasSubstr(R"("ExternalPort":8080)"));
    EXPECT_EQ(
        error_of([&] { service_->networking({.mode = hcs::NetworkMode::Nat, .name = "absent"}); }).code(),
        ErrorCode::NotFound);
    EXPECT_EQ(error_of([&] { service_->check_network({.mode = hcs::NetworkMode::Nat, .mtu = 100}); }).code(),
              ErrorCode::Invalid);
    EXPECT_EQ(error_of([&] { service_->check_network({.mode = hcs::NetworkMode::Host}); }).code(),
              ErrorCode::Unsupported);
}

TEST_F(NativeCompute, ARefusedSystemLeavesNoNetwork) {
    auto refused = document();
    refused.Container.Networking = service_->networking({hcs::NetworkMode::Nat});
    refused.ShouldTerminateOnLastHandleClosed = false;
    EXPECT_EQ(network_objects("endpoints"), 1u);
    EXPECT_EQ(error_of([&] { service_->create("one", refused, {}); }).code(), ErrorCode::Unsupported);
    EXPECT_EQ(network_objects("endpoints"), 0u);
}

TEST_F(NativeCompute, StatisticsAreTheHostsOwn) {
    set("statistics",
        R"({"Uptime100ns":70,"Processor":{"TotalRuntime100ns":50},"Memory":{"MemoryUsageCommitPeakBytes":9},)"
        R"("Storage":{"ReadSizeBytes":4096},"Undocumented":true})");
    auto system = service_->create("one", document(), {});
    EXPECT_THAT(error_of([&] { system->statistics(); }).what(), HasSubstr("HCS_E_INVALID_STATE"));
    system->start({});
    EXPECT_EQ(system->statistics(), (hcs::Statistics{70, {50, 0, 0}, {0, 9, 0}, {0, 4096, 0, 0}}));
    EXPECT_THAT(log(), HasSubstr(R"(HcsGetComputeSystemProperties one {"PropertyTypes":["Statistics"]})"));
    system->terminate();
    EXPECT_THAT(error_of([&] { system->statistics(); }).what(), HasSubstr("HCS_E_INVALID_STATE"));
}

// Every call of a RUN with a network fails once, refused or accepted; whatever comes of it, FakeHost sees to
// it that nothing is left.
class NativeFault : public FakeHost, public testing::WithParamInterface<const char*> {
  protected:
    static void run(hcs::ComputeService& service, hcs::ComputeSystemDocument configuration,
                    const hcs::ProcessParameters& parameters) {
        base::StringSink out, err;
        configuration.Container.Networking = service.networking({hcs::NetworkMode::Nat});
        auto system = service.create("one", configuration, {});
        system->start({});
        auto process = system->create_process(parameters, {nullptr, &out, &err}, {});
        EXPECT_EQ(process->wait(Clock::now() + 60s, {}).ExitCode, 0u);
        EXPECT_EQ(plain(out.data()), "hello\n");
        process.reset();
        system->statistics();
        system->shut_down({});
    }
    // The failure the run ended with; nullopt if it ended well.
    std::optional<base::Error> outcome() {
        try {
            run(*hcs::make_native_compute_service({.shut_down_limit = 500ms}), document(),
                child("print hello"));
        } catch (const base::Error& error) {
            return error;
        }
        return std::nullopt;
    }
};

TEST_P(NativeFault, EndsInSuccessOrInThatFailureAndLeavesNothing) {
    fault(GetParam(), "80070070");  // ERROR_DISK_FULL, which no call repeats or takes for success
    if (std::optional<base::Error> error = outcome()) {
        EXPECT_EQ(error->code(), ErrorCode::Exhausted) << error->what();
        EXPECT_EQ(hcs::hresult_of(*error)->value(), 0x80070070u);
    }
    std::optional<base::Error> again = outcome();
    EXPECT_FALSE(again.has_value()) << again->what();
}

INSTANTIATE_TEST_SUITE_P(
    EveryCall, NativeFault,
    testing::Values("HcsCreateComputeSystem", "HcsCreateComputeSystem.result", "HcsSetComputeSystemCallback",
                    "HcsStartComputeSystem", "HcsStartComputeSystem.result", "HcsCreateProcess",
                    "HcsCreateProcess.result", "HcsSetProcessCallback", "HcsGetProcessProperties",
                    "HcsGetProcessProperties.result", "HcsGetComputeSystemProperties",
                    "HcsGetComputeSystemProperties.result", "HcsShutDownComputeSystem",
                    "HcsShutDownComputeSystem.result", "HcsTerminateComputeSystem", "HcnEnumerateNetworks",
                    "HcnCreateNetwork", "HcnOpenNetwork", "HcnQueryNetworkProperties",
                    "HcnEnumerateEndpoints", "HcnCreateEndpoint", "HcnCreateNamespace", "HcnModifyNamespace",
                    "HcnOpenNamespace", "HcnDeleteNamespace", "HcnDeleteEndpoint"),
    [](const auto& test) {
        std::string name = test.param;
        std::replace(name.begin(), name.end(), '.', '_');
        return name;
    });

}  // namespace
}  // namespace mullion::test
