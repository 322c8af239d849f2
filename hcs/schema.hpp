// The documents of the Host Compute System, schema 2.1, as plain structs.
//
// Members keep the spelling of the wire. Defaults are HCS's own (zero, empty, false) and are omitted when
// written; reading is strict: an unknown member is Invalid and names its JSON path ("$.Container.Foo"), a
// member HCS knows but no backend of ours can honour is Unsupported. Written documents are byte-stable:
// members appear in the order of the fields here. Reference: hcsshim's published schema.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::hcs {

struct SchemaVersion {
    std::uint32_t Major = 2;
    std::uint32_t Minor = 1;
    bool operator==(const SchemaVersion&) const = default;
};

struct GuestOs {
    std::string HostName;
    bool operator==(const GuestOs&) const = default;
};

// A read-only layer folder. `Id` is a GUID without braces (see layer_id()).
struct Layer {
    std::string Id;
    std::string Path;
    bool operator==(const Layer&) const = default;
};

struct StorageQoS {
    std::uint64_t IopsMaximum = 0;
    std::uint64_t BandwidthMaximum = 0;  // bytes a second
    bool operator==(const StorageQoS&) const = default;
};

struct Storage {
    std::vector<Layer> Layers;  // topmost first, base last; the scratch is not listed
    std::string Path;           // what LayerStorage::attach returned
    std::optional<StorageQoS> QoS;
    bool operator==(const Storage&) const = default;
};

struct Memory {
    std::uint64_t SizeInMB = 0;
    bool operator==(const Memory&) const = default;
};

// At most one of the three may be non-zero.
struct Processor {
    std::uint32_t Count = 0;
    std::uint32_t Maximum = 0;  // 1..10000: hundredths of a percent of all host CPUs
    std::uint32_t Weight = 0;   // 1..10000
    bool operator==(const Processor&) const = default;
};

struct MappedDirectory {
    std::string HostPath;
    std::string ContainerPath;  // "C:\nuget"
    bool ReadOnly = false;
    bool operator==(const MappedDirectory&) const = default;
};

struct MappedPipe {
    std::string HostPath;           // a pipe of the host; of the emulation's host a Unix socket
    std::string ContainerPipeName;  // "openssh-ssh-agent": below \\.\pipe
    bool operator==(const MappedPipe&) const = default;
};

struct Networking {
    std::string Namespace;  // GUID of a network namespace; see ComputeService::networking
    bool AllowUnqualifiedDnsQuery = false;
    std::string DnsSearchList;  // joined by ','
    bool operator==(const Networking&) const = default;
};

struct AssignedDevice {
    std::string Type;  // "" means ClassGuid (all that schema 2.1 knows)
    std::string InterfaceClassGuid;
    std::string LocationPath;
    bool operator==(const AssignedDevice&) const = default;
};

struct RegistryKey {
    std::string Hive;  // "System", "Software", "Security", "Sam"
    std::string Name;
    bool operator==(const RegistryKey&) const = default;
};

struct RegistryValue {
    RegistryKey Key;
    std::string Name;
    std::string Type;  // "String", "ExpandedString", "MultiString", "Binary", "DWord", "QWord"
    std::string StringValue;
    std::string BinaryValue;  // base64
    std::uint32_t DWordValue = 0;
    std::uint64_t QWordValue = 0;
    bool operator==(const RegistryValue&) const = default;
};

struct RegistryChanges {
    std::vector<RegistryValue> AddValues;
    std::vector<RegistryKey> DeleteKeys;
    bool operator==(const RegistryChanges&) const = default;
};

struct Container {
    std::optional<hcs::GuestOs> GuestOs;
    hcs::Storage Storage;
    std::optional<hcs::Memory> Memory;
    std::optional<hcs::Processor> Processor;
    std::vector<MappedDirectory> MappedDirectories;
    std::vector<MappedPipe> MappedPipes;
    std::optional<hcs::Networking> Networking;  // absent: loopback only
    std::vector<AssignedDevice> AssignedDevices;
    std::optional<hcs::RegistryChanges> RegistryChanges;
    bool operator==(const Container&) const = default;
};

// The configuration given to HcsCreateComputeSystem. Only process-isolated containers: VirtualMachine,
// HostedSystem and HostingSystemId are Unsupported.
struct ComputeSystemDocument {
    std::string Owner;
    hcs::SchemaVersion SchemaVersion;
    bool ShouldTerminateOnLastHandleClosed = false;
    hcs::Container Container;
    bool operator==(const ComputeSystemDocument&) const = default;
};

struct ConsoleSize {
    std::uint16_t Height = 0;
    std::uint16_t Width = 0;
    bool operator==(const hcs::ConsoleSize&) const = default;
};

// The parameters given to HcsCreateProcess.
struct ProcessParameters {
    std::string ApplicationName;  // Unsupported in the emulation: CommandLine names the program
    std::string CommandLine;      // passed verbatim
    std::string User;             // "" means ContainerAdministrator
    std::string WorkingDirectory;
    std::map<std::string, std::string> Environment;
    bool RestrictedToken = false;
    bool EmulateConsole = false;
    bool CreateStdInPipe = false;
    bool CreateStdOutPipe = false;
    bool CreateStdErrPipe = false;
    std::optional<hcs::ConsoleSize> ConsoleSize;
    bool operator==(const ProcessParameters&) const = default;
};

// How a process stands. ExitCode means something only if Exited and LastWaitResult is 0.
struct ProcessStatus {
    std::uint32_t ProcessId = 0;
    bool Exited = false;
    std::uint32_t ExitCode = 0;
    std::int32_t LastWaitResult = 0;
    bool operator==(const ProcessStatus&) const = default;
};

struct SystemExitStatus {
    std::int32_t Status = 0;
    std::string ExitType;  // "None", "GracefulExit", "ForcedExit", "UnexpectedExit", "Unknown"
    bool operator==(const SystemExitStatus&) const = default;
};

// What a compute system has used since it was started; the member Statistics of its Properties. 0: not known.
struct ProcessorStats {
    std::uint64_t TotalRuntime100ns = 0;
    std::uint64_t RuntimeUser100ns = 0;
    std::uint64_t RuntimeKernel100ns = 0;
    bool operator==(const ProcessorStats&) const = default;
};

struct MemoryStats {
    std::uint64_t MemoryUsageCommitBytes = 0;
    std::uint64_t MemoryUsageCommitPeakBytes = 0;
    std::uint64_t MemoryUsagePrivateWorkingSetBytes = 0;
    bool operator==(const MemoryStats&) const = default;
};

struct StorageStats {
    std::uint64_t ReadCountNormalized = 0;
    std::uint64_t ReadSizeBytes = 0;
    std::uint64_t WriteCountNormalized = 0;
    std::uint64_t WriteSizeBytes = 0;
    bool operator==(const StorageStats&) const = default;
};

struct Statistics {
    std::uint64_t Uptime100ns = 0;
    ProcessorStats Processor;
    MemoryStats Memory;
    StorageStats Storage;
    bool operator==(const Statistics&) const = default;
};

struct ErrorEvent {
    std::string Message;
    std::string StackTrace;
    std::string Provider;
    std::uint32_t EventId = 0;
    std::uint32_t Flags = 0;
    std::string Source;
    bool operator==(const ErrorEvent&) const = default;
};

// The result document of a failed request. Read leniently: hosts put undocumented members into it.
struct ResultError {
    std::int32_t Error = 0;  // an HRESULT, signed
    std::string ErrorMessage;
    std::vector<ErrorEvent> ErrorEvents;
    bool operator==(const ResultError&) const = default;
};

// To JSON without white space, defaults omitted.
std::string to_json(const ComputeSystemDocument& document);
std::string to_json(const ProcessParameters& parameters);
std::string to_json(const ProcessStatus& status);
std::string to_json(const SystemExitStatus& status);
std::string to_json(const ResultError& error);

// From JSON; throws Invalid or Unsupported naming the member's path. Values that exclude one another, numbers
// out of range and missing required members are Invalid too.
ComputeSystemDocument parse_compute_system(std::string_view json);
ProcessParameters parse_process_parameters(std::string_view json);
ProcessStatus parse_process_status(std::string_view json);
SystemExitStatus parse_system_exit_status(std::string_view json);
ResultError parse_result_error(std::string_view json);

// The query for a system's statistics, and what is answered: Properties, read leniently.
std::string statistics_query();
Statistics parse_statistics(std::string_view properties);

// The rules that parsing enforces, for documents built in code.
void validate(const ComputeSystemDocument& document);
void validate(const ProcessParameters& parameters);

// A GUID for a layer folder's name: stable, version 5, in a namespace of our own (on Windows NameToGuid's
// namespace is secret; there the system is asked).
std::string layer_id(std::string_view folder_name);

}  // namespace mullion::hcs
