// JSON to documents, strictly.
#include <limits>

#include "base/error.hpp"
#include "base/json.hpp"
#include "hcs/schema.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using base::JsonView;

// Members HCS knows but that none of our backends honours: refused by name rather than called unknown.
void refuse(const JsonView& object, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        if (object.raw().is_object() && object.raw().contains(name)) {
            throw base::fail(ErrorCode::Unsupported, "{}.{}: not supported", object.path(), name);
        }
    }
}

template <typename Number>
Number number(const JsonView& view) {
    std::uint64_t value = view.size();
    if (value > std::numeric_limits<Number>::max()) view.fail("a smaller number");
    return static_cast<Number>(value);
}

template <typename Number>
Number number_or_zero(const JsonView& object, const std::string& name) {
    std::optional<JsonView> member = object.find(name);
    return member ? number<Number>(*member) : Number{0};
}

std::int32_t signed_or_zero(const JsonView& object, const std::string& name) {
    std::optional<JsonView> member = object.find(name);
    if (!member) return 0;
    std::int64_t value = member->integer();
    if (value < std::numeric_limits<std::int32_t>::min() ||
        value > std::numeric_limits<std::int32_t>::max()) {
        member->fail("a 32-bit number");
    }
    return static_cast<std::int32_t>(value);
}

bool flag(const JsonView& object, const std::string& name) {
    std::optional<JsonView> member = object.find(name);
    return member && member->boolean();
}

std::string text(const JsonView& object, const std::string& name) {
    return object.string_or(name, "");
}

template <typename Read>
auto list(const JsonView& object, const std::string& name, Read read) {
    std::vector<decltype(read(object))> items;
    if (std::optional<JsonView> member = object.find(name)) {
        for (const JsonView& item : member->array()) items.push_back(read(item));
    }
    return items;
}

template <typename Read>
auto optional(const JsonView& object, const std::string& name, Read read) {
    std::optional<decltype(read(object))> item;
    if (std::optional<JsonView> member = object.find(name)) item = read(*member);
    return item;
}

SchemaVersion read_version(const JsonView& view) {
    view.only({"Major", "Minor"});
    return {number<std::uint32_t>(view.at("Major")), number_or_zero<std::uint32_t>(view, "Minor")};
}

GuestOs read_guest_os(const JsonView& view) {
    view.only({"HostName"});
    return {text(view, "HostName")};
}

Layer read_layer(const JsonView& view) {
    refuse(view, {"PathType", "Cache"});
    view.only({"Id", "Path"});
    return {view.at("Id").string(), view.at("Path").string()};
}

StorageQoS read_qos(const JsonView& view) {
    view.only({"IopsMaximum", "BandwidthMaximum"});
    return {number_or_zero<std::uint64_t>(view, "IopsMaximum"),
            number_or_zero<std::uint64_t>(view, "BandwidthMaximum")};
}

Storage read_storage(const JsonView& view) {
    refuse(view, {"PrivilegedContainerRootPath"});
    view.only({"Layers", "Path", "QoS"});
    return {list(view, "Layers", read_layer), text(view, "Path"), optional(view, "QoS", read_qos)};
}

Memory read_memory(const JsonView& view) {
    view.only({"SizeInMB"});
    return {number_or_zero<std::uint64_t>(view, "SizeInMB")};
}

Processor read_processor(const JsonView& view) {
    view.only({"Count", "Maximum", "Weight"});
    return {number_or_zero<std::uint32_t>(view, "Count"), number_or_zero<std::uint32_t>(view, "Maximum"),
            number_or_zero<std::uint32_t>(view, "Weight")};
}

MappedDirectory read_directory(const JsonView& view) {
    refuse(view, {"HostPathType", "CreateInUtilityVM", "LinuxMetadata", "SupportCloudFiles"});
    view.only({"HostPath", "ContainerPath", "ReadOnly"});
    return {view.at("HostPath").string(), view.at("ContainerPath").string(), flag(view, "ReadOnly")};
}

MappedPipe read_pipe(const JsonView& view) {
    refuse(view, {"HostPathType"});
    view.only({"HostPath", "ContainerPipeName"});
    return {view.at("HostPath").string(), view.at("ContainerPipeName").string()};
}

Networking read_networking(const JsonView& view) {
    refuse(view, {"NetworkSharedContainerName", "NetworkAdapters"});
    view.only({"Namespace", "AllowUnqualifiedDnsQuery", "DnsSearchList"});
    return {text(view, "Namespace"), flag(view, "AllowUnqualifiedDnsQuery"), text(view, "DnsSearchList")};
}

AssignedDevice read_device(const JsonView& view) {
    view.only({"Type", "InterfaceClassGuid", "LocationPath"});
    return {text(view, "Type"), text(view, "InterfaceClassGuid"), text(view, "LocationPath")};
}

RegistryKey read_key(const JsonView& view) {
    refuse(view, {"Volatile"});
    view.only({"Hive", "Name"});
    return {text(view, "Hive"), text(view, "Name")};
}

RegistryValue read_value(const JsonView& view) {
    refuse(view, {"CustomType"});
    view.only({"Key", "Name", "Type", "StringValue", "BinaryValue", "DWordValue", "QWordValue"});
    return {read_key(view.at("Key")),
            text(view, "Name"),
            text(view, "Type"),
            text(view, "StringValue"),
            text(view, "BinaryValue"),
            number_or_zero<std::uint32_t>(view, "DWordValue"),
            number_or_zero<std::uint64_t>(view, "QWordValue")};
}

RegistryChanges read_registry(const JsonView& view) {
    view.only({"AddValues", "DeleteKeys"});
    return {list(view, "AddValues", read_value), list(view, "DeleteKeys", read_key)};
}

Container read_container(const JsonView& view) {
    refuse(view, {"HvSocket", "ContainerCredentialGuard", "IsolationType", "AdditionalDeviceNamespace"});
    view.only({"GuestOs", "Storage", "Memory", "Processor", "MappedDirectories", "MappedPipes", "Networking",
               "AssignedDevices", "RegistryChanges"});
    Container container;
    container.GuestOs = optional(view, "GuestOs", read_guest_os);
    container.Storage = read_storage(view.at("Storage"));
    container.Memory = optional(view, "Memory", read_memory);
    container.Processor = optional(view, "Processor", read_processor);
    container.MappedDirectories = list(view, "MappedDirectories", read_directory);
    container.MappedPipes = list(view, "MappedPipes", read_pipe);
    container.Networking = optional(view, "Networking", read_networking);
    container.AssignedDevices = list(view, "AssignedDevices", read_device);
    container.RegistryChanges = optional(view, "RegistryChanges", read_registry);
    return container;
}

std::map<std::string, std::string> read_environment(const JsonView& view) {
    std::map<std::string, std::string> environment;
    for (const auto& [name, value] : view.members()) environment[name] = value.string();
    return environment;
}

ConsoleSize read_console_size(const JsonView& view) {
    std::vector<JsonView> numbers = view.array();
    if (numbers.size() != 2) view.fail("[height, width]");
    return {number<std::uint16_t>(numbers[0]), number<std::uint16_t>(numbers[1])};
}

ErrorEvent read_event(const JsonView& view) {
    return {text(view, "Message"),
            text(view, "StackTrace"),
            text(view, "Provider"),
            number_or_zero<std::uint32_t>(view, "EventId"),
            number_or_zero<std::uint32_t>(view, "Flags"),
            text(view, "Source")};
}

template <typename Read>
auto parse(std::string_view json, const char* what, Read read) {
    base::Json document = base::parse_json(json, what);
    return read(JsonView(document, what));
}

std::uint64_t amount(const std::optional<JsonView>& object, const std::string& name) {
    return object ? number_or_zero<std::uint64_t>(*object, name) : 0;
}

Statistics read_statistics(const JsonView& view) {
    std::optional<JsonView> processor = view.find("Processor");
    std::optional<JsonView> memory = view.find("Memory");
    std::optional<JsonView> storage = view.find("Storage");
    return {amount(view, "Uptime100ns"),
            {amount(processor, "TotalRuntime100ns"), amount(processor, "RuntimeUser100ns"),
             amount(processor, "RuntimeKernel100ns")},
            {amount(memory, "MemoryUsageCommitBytes"), amount(memory, "MemoryUsageCommitPeakBytes"),
             amount(memory, "MemoryUsagePrivateWorkingSetBytes")},
            {amount(storage, "ReadCountNormalized"), amount(storage, "ReadSizeBytes"),
             amount(storage, "WriteCountNormalized"), amount(storage, "WriteSizeBytes")}};
}

[[noreturn]] void invalid(const char* path, const char* problem) {
    throw base::fail(ErrorCode::Invalid, "$.{}: {}", path, problem);
}

}  // namespace

void validate(const ComputeSystemDocument& document) {
    if (document.SchemaVersion.Major != 2 || document.SchemaVersion.Minor > 1) {
        throw base::fail(ErrorCode::Unsupported,
                         "$.SchemaVersion: version {}.{} is not supported, 2.0 and 2.1 are",
                         document.SchemaVersion.Major, document.SchemaVersion.Minor);
    }
    const Container& container = document.Container;
    if (container.Storage.Path.empty()) invalid("Container.Storage.Path", "must not be empty");
    if (container.Storage.Layers.empty()) invalid("Container.Storage.Layers", "must not be empty");
    constexpr std::uint64_t kMostMegabytes = UINT64_MAX >> 20;
    if (container.Memory && container.Memory->SizeInMB > kMostMegabytes) {
        invalid("Container.Memory.SizeInMB", "is more than can be counted in bytes");
    }
    if (container.Processor) {
        const Processor& processor = *container.Processor;
        int given = (processor.Count != 0) + (processor.Maximum != 0) + (processor.Weight != 0);
        if (given > 1) invalid("Container.Processor", "Count, Maximum and Weight exclude one another");
        if (processor.Maximum > 10000) invalid("Container.Processor.Maximum", "must be at most 10000");
        if (processor.Weight > 10000) invalid("Container.Processor.Weight", "must be at most 10000");
    }
}

void validate(const ProcessParameters& parameters) {
    if (parameters.CommandLine.empty()) invalid("CommandLine", "must not be empty");
    if (parameters.CommandLine.find('\0') != std::string::npos) invalid("CommandLine", "must not hold NUL");
    if (parameters.WorkingDirectory.find('\0') != std::string::npos) {
        invalid("WorkingDirectory", "must not hold NUL");
    }
    for (const auto& [name, value] : parameters.Environment) {
        if (name.empty() || name.find('=', 1) != std::string::npos || name.find('\0') != std::string::npos ||
            value.find('\0') != std::string::npos) {
            invalid("Environment", "a name is empty or holds '=', or a text holds NUL");
        }
    }
}

ComputeSystemDocument parse_compute_system(std::string_view json) {
    auto document = parse(json, "compute system document", [](const JsonView& view) {
        refuse(view, {"HostingSystemId", "HostedSystem", "VirtualMachine"});
        view.only({"Owner", "SchemaVersion", "ShouldTerminateOnLastHandleClosed", "Container"});
        ComputeSystemDocument result;
        result.Owner = text(view, "Owner");
        result.SchemaVersion = read_version(view.at("SchemaVersion"));
        result.ShouldTerminateOnLastHandleClosed = flag(view, "ShouldTerminateOnLastHandleClosed");
        result.Container = read_container(view.at("Container"));
        return result;
    });
    validate(document);
    return document;
}

ProcessParameters parse_process_parameters(std::string_view json) {
    auto parameters = parse(json, "process parameters", [](const JsonView& view) {
        refuse(view, {"CommandArgs", "UseExistingLogin", "UseLegacyConsole"});
        view.only({"ApplicationName", "CommandLine", "User", "WorkingDirectory", "Environment",
                   "RestrictedToken", "EmulateConsole", "CreateStdInPipe", "CreateStdOutPipe",
                   "CreateStdErrPipe", "ConsoleSize"});
        ProcessParameters result;
        result.ApplicationName = text(view, "ApplicationName");
        result.CommandLine = text(view, "CommandLine");
        result.User = text(view, "User");
        result.WorkingDirectory = text(view, "WorkingDirectory");
        if (std::optional<JsonView> member = view.find("Environment"))
            result.Environment = read_environment(*member);
        result.RestrictedToken = flag(view, "RestrictedToken");
        result.EmulateConsole = flag(view, "EmulateConsole");
        result.CreateStdInPipe = flag(view, "CreateStdInPipe");
        result.CreateStdOutPipe = flag(view, "CreateStdOutPipe");
        result.CreateStdErrPipe = flag(view, "CreateStdErrPipe");
        result.ConsoleSize = optional(view, "ConsoleSize", read_console_size);
        return result;
    });
    validate(parameters);
    return parameters;
}

ProcessStatus parse_process_status(std::string_view json) {
    return parse(json, "process status", [](const JsonView& view) {
        view.only({"ProcessId", "Exited", "ExitCode", "LastWaitResult"});
        return ProcessStatus{number_or_zero<std::uint32_t>(view, "ProcessId"), flag(view, "Exited"),
                             number_or_zero<std::uint32_t>(view, "ExitCode"),
                             signed_or_zero(view, "LastWaitResult")};
    });
}

// Attribution says who ended the system; nothing of ours reads it.
SystemExitStatus parse_system_exit_status(std::string_view json) {
    return parse(json, "system exit status", [](const JsonView& view) {
        view.only({"Status", "ExitType", "Attribution"});
        return SystemExitStatus{signed_or_zero(view, "Status"), text(view, "ExitType")};
    });
}

Statistics parse_statistics(std::string_view properties) {
    return parse(properties, "properties", [](const JsonView& view) {
        std::optional<JsonView> statistics = view.find("Statistics");
        return statistics ? read_statistics(*statistics) : Statistics{};
    });
}

ResultError parse_result_error(std::string_view json) {
    return parse(json, "result document", [](const JsonView& view) {
        return ResultError{signed_or_zero(view, "Error"), text(view, "ErrorMessage"),
                           list(view, "ErrorEvents", read_event)};
    });
}

}  // namespace mullion::hcs
