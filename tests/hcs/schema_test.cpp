#include "hcs/schema.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

// The documents of hcs.md §2.1 and §2.4, without white space.
constexpr const char* kArgon =
    R"({"Owner":"mullion","SchemaVersion":{"Major":2,"Minor":1},"ShouldTerminateOnLastHandleClosed":true,"Container":{)"
    R"("GuestOs":{"HostName":"build-7"},"Storage":{"Layers":[)"
    R"({"Id":"0c7f1b52-9a4e-5d0b-8a35-6a1f0e2b9d11","Path":"D:\\store\\layers\\12"},)"
    R"({"Id":"5e2d8a90-41c3-5b77-9e0f-3d7c55aa1204","Path":"D:\\store\\layers\\4"}],)"
    R"("Path":"\\\\?\\Volume{6f3f0a4e-7d2b-4a0e-9b4c-0f5e3f1f7a21}\\","QoS":{"IopsMaximum":5000,"BandwidthMaximum":104857600}},)"
    R"("Memory":{"SizeInMB":2048},"Processor":{"Count":2},"MappedDirectories":[)"
    R"({"HostPath":"D:\\store\\cache\\nuget","ContainerPath":"C:\\nuget","ReadOnly":false},)"
    R"({"HostPath":"D:\\store\\ctx\\71","ContainerPath":"C:\\src","ReadOnly":true}],)"
    R"("MappedPipes":[{"HostPath":"\\\\.\\pipe\\mullion-ssh","ContainerPipeName":"openssh-ssh-agent"}],)"
    R"("Networking":{"Namespace":"a9c1f0de-2b73-4e55-8f10-77c3a1d4e602","AllowUnqualifiedDnsQuery":true,"DnsSearchList":"corp.example,example"},)"
    R"("AssignedDevices":[{"InterfaceClassGuid":"5b45201d-f2f2-4f3b-85bb-30ff1f953599"},)"
    R"x({"Type":"DeviceInstance","LocationPath":"PCIROOT(0)#PCI(0100)"}],)x"
    R"("RegistryChanges":{"AddValues":[{"Key":{"Hive":"System","Name":"ControlSet001\\Control"},)"
    R"("Name":"WaitToKillServiceTimeout","Type":"String","StringValue":"2147483647"}]}}})";

constexpr const char* kProcess =
    R"({"CommandLine":"cmd /S /C \"dotnet restore C:\\src\\app.sln\"","User":"ContainerAdministrator","WorkingDirectory":"C:\\src",)"
    R"("Environment":{"NUGET_PACKAGES":"C:\\nuget","PATH":"C:\\Windows\\System32;C:\\Windows"},)"
    R"("EmulateConsole":false,"CreateStdInPipe":false,"CreateStdOutPipe":true,"CreateStdErrPipe":true})";

std::string message_of(const std::string& json, ErrorCode expected) {
    try {
        parse_compute_system(json);
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), expected) << error.what();
        return error.what();
    }
    ADD_FAILURE() << "accepted: " << json;
    return {};
}

std::string with_container(const std::string& members) {
    return R"({"SchemaVersion":{"Major":2,"Minor":1},"Container":{"Storage":{"Layers":[{"Id":"a","Path":"b"}],"Path":"c"})" +
           members + "}}";
}

TEST(ComputeSystemDocument, MemoryMustBeCountable) {
    ComputeSystemDocument document;
    document.Container.Storage.Path = "scratch";
    document.Container.Storage.Layers = {{"id", "layer"}};
    document.Container.Memory = Memory{UINT64_MAX >> 20};
    EXPECT_NO_THROW(validate(document));
    document.Container.Memory = Memory{std::uint64_t{1} << 44};
    EXPECT_THROW(validate(document), base::Error);
}

TEST(ComputeSystemDocument, ArgonSurvivesReadingAndWriting) {
    EXPECT_EQ(to_json(parse_compute_system(kArgon)), kArgon);
}

TEST(ComputeSystemDocument, ArgonIsRead) {
    ComputeSystemDocument document = parse_compute_system(kArgon);
    EXPECT_EQ(document.Container.Storage.Layers[1].Path, "D:\\store\\layers\\4");
    EXPECT_EQ(document.Container.Memory->SizeInMB, 2048u);
    EXPECT_TRUE(document.Container.MappedDirectories[1].ReadOnly);
    EXPECT_EQ(document.Container.RegistryChanges->AddValues[0].Key.Hive, "System");
}

TEST(ComputeSystemDocument, UnknownMembersAreRefusedByPath) {
    EXPECT_THAT(message_of(with_container(R"(,"Foo":1)"), ErrorCode::Invalid), HasSubstr("$.Container.Foo"));
    EXPECT_THAT(message_of(with_container(R"(,"Memory":{"Size":1})"), ErrorCode::Invalid),
                HasSubstr("$.Container.Memory.Size"));
}

TEST(ComputeSystemDocument, KnownButUnsupportedMembersSaySo) {
    EXPECT_THAT(message_of(R"({"SchemaVersion":{"Major":2},"VirtualMachine":{}})", ErrorCode::Unsupported),
                HasSubstr("$.VirtualMachine"));
    EXPECT_THAT(message_of(with_container(R"(,"HvSocket":{})"), ErrorCode::Unsupported),
                HasSubstr("$.Container.HvSocket"));
}

TEST(ComputeSystemDocument, ProcessorFieldsExcludeOneAnother) {
    EXPECT_THAT(message_of(with_container(R"(,"Processor":{"Count":2,"Weight":5})"), ErrorCode::Invalid),
                HasSubstr("$.Container.Processor"));
    EXPECT_THAT(message_of(with_container(R"(,"Processor":{"Maximum":10001})"), ErrorCode::Invalid),
                HasSubstr("$.Container.Processor.Maximum"));
}

TEST(ComputeSystemDocument, BadValuesAreRefused) {
    message_of("", ErrorCode::Invalid);
    message_of("[]", ErrorCode::Invalid);
    message_of(with_container(R"(,"Memory":{"SizeInMB":-1})"), ErrorCode::Invalid);
    message_of(with_container(R"(,"Memory":{"SizeInMB":"much"})"), ErrorCode::Invalid);
    message_of(with_container(R"(,"Processor":{"Count":4294967296})"), ErrorCode::Invalid);
    message_of(
        R"({"SchemaVersion":{"Major":1},"Container":{"Storage":{"Layers":[{"Id":"a","Path":"b"}],"Path":"c"}}})",
        ErrorCode::Unsupported);
    message_of(R"({"SchemaVersion":{"Major":2},"Container":{"Storage":{"Layers":[],"Path":"c"}}})",
               ErrorCode::Invalid);
}

TEST(ComputeSystemDocument, TruncatedTextIsAlwaysInvalid) {
    std::string text = kArgon;
    for (std::size_t size = 0; size < text.size(); size += 7)
        message_of(text.substr(0, size), ErrorCode::Invalid);
}

TEST(ProcessParameters, SurvivesReadingAndWriting) {
    EXPECT_EQ(to_json(parse_process_parameters(kProcess)), kProcess);
}

TEST(ProcessParameters, ConsoleSizeIsHeightThenWidth) {
    ProcessParameters parameters = parse_process_parameters(R"({"CommandLine":"x","ConsoleSize":[40,120]})");
    EXPECT_EQ(parameters.ConsoleSize->Height, 40);
    EXPECT_EQ(parameters.ConsoleSize->Width, 120);
    EXPECT_THROW(parse_process_parameters(R"({"CommandLine":"x","ConsoleSize":[40]})"), base::Error);
    EXPECT_THROW(parse_process_parameters(R"({"CommandLine":"x","ConsoleSize":[40,70000]})"), base::Error);
}

TEST(ProcessParameters, EmptyCommandLineIsInvalid) {
    EXPECT_THROW(parse_process_parameters(R"({"CommandLine":""})"), base::Error);
    EXPECT_THROW(parse_process_parameters(R"({"CommandLine":"a","Environment":{"":"x"}})"), base::Error);
    EXPECT_THROW(parse_process_parameters("{\"CommandLine\":\"a\\u0000b\"}"), base::Error);
}

TEST(ProcessStatus, AbsentMembersAreZero) {
    EXPECT_EQ(parse_process_status("{}"), ProcessStatus{});
    ProcessStatus status = parse_process_status(R"({"ProcessId":7,"Exited":true,"ExitCode":3221225477})");
    EXPECT_EQ(status.ExitCode, 0xC0000005u);
    EXPECT_EQ(to_json(status), R"({"ProcessId":7,"Exited":true,"ExitCode":3221225477})");
    EXPECT_EQ(to_json(ProcessStatus{}), "{}");
}

TEST(Statistics, AreReadFromPropertiesLeniently) {
    EXPECT_EQ(statistics_query(), R"({"PropertyTypes":["Statistics"]})");
    EXPECT_EQ(parse_statistics(
                  R"({"Id":"a","SystemType":"Container","State":"Running","Statistics":{"Timestamp":)"
                  R"("2026-01-02T03:04:05Z","Uptime100ns":70,"Processor":{"TotalRuntime100ns":50,)"
                  R"("RuntimeUser100ns":30,"RuntimeKernel100ns":20},"Memory":{"MemoryUsageCommitBytes":5,)"
                  R"("MemoryUsageCommitPeakBytes":9,"MemoryUsagePrivateWorkingSetBytes":4,"Later":1},)"
                  R"("Storage":{"ReadCountNormalized":1,"ReadSizeBytes":4096,"WriteCountNormalized":2,)"
                  R"("WriteSizeBytes":8192}}})"),
              (Statistics{70, {50, 30, 20}, {5, 9, 4}, {1, 4096, 2, 8192}}));
    EXPECT_EQ(parse_statistics(R"({"Statistics":{"Memory":{}}})"), Statistics{});
    EXPECT_EQ(parse_statistics("{}"), Statistics{});
    EXPECT_THROW(parse_statistics(R"({"Statistics":{"Uptime100ns":-1}})"), base::Error);
    EXPECT_THROW(parse_statistics(""), base::Error);
}

TEST(ResultError, ErrorIsSignedAndMoreMembersAreLetBe) {
    ResultError error = parse_result_error(
        R"({"Error":-2143878899,"ErrorMessage":"bad","ErrorEvents":[{"Message":"m","EventId":3,"Data":[{"Type":"x"}]}],"Attribution":[]})");
    EXPECT_EQ(static_cast<std::uint32_t>(error.Error), 0x8037010Du);
    EXPECT_EQ(error.ErrorEvents[0].EventId, 3u);
}

TEST(SystemExitStatus, SurvivesReadingAndWriting) {
    constexpr const char* kText = R"({"Status":-1,"ExitType":"UnexpectedExit"})";
    EXPECT_EQ(to_json(parse_system_exit_status(kText)), kText);
}

}  // namespace
}  // namespace mullion::hcs
