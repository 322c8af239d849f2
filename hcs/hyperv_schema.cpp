#include "hcs/hyperv_schema.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/json.hpp"

namespace mullion::hcs {
namespace {

using Json = base::OrderedJson;

// The first of four controllers: the version 5 GUID of "0" in d422512d-2bf2-4752-809d-7b82b5fcb1b4.
constexpr const char* kController = "df6d0690-79e5-55b6-a5ec-c1e2f77f580a";
constexpr std::uint32_t kMostLun = 63;
constexpr const char* kShareHost = "\\\\?\\VMSMB\\VSMB-{dcc079ae-60ba-4d07-847c-3493609c0870}\\";
// Local system and administrators.
constexpr const char* kSocketDescriptor = "D:P(A;;FA;;;SY)(A;;FA;;;BA)";
constexpr std::uint32_t kMostPersistentMemory = 64;
constexpr std::uint64_t kPersistentMemoryBytes = std::uint64_t{4} << 30;

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json version() {
    return {{"Major", 2}, {"Minor", 1}};
}

Json share_options(const Share& share) {
    Json options = Json::object();
    if (share.use != Share::Use::Writable) {
        for (const char* name : {"ReadOnly", "ShareRead", "CacheIo", "PseudoOplocks"}) options[name] = true;
    }
    if (share.use == Share::Use::Layer) options["TakeBackupPrivilege"] = true;
    if (!share.only_file.empty()) {
        for (const char* name : {"RestrictFileAccess", "SingleFileMapping"}) options[name] = true;
    }
    return options;
}

Json document_of(const Share& share) {
    Json json = {{"Name", share.name}, {"Path", share.host_path}, {"Options", share_options(share)}};
    if (!share.only_file.empty()) json["AllowedFiles"] = Json::array({share.only_file});
    return json;
}

Json disk(const std::string& path) {
    return {{"Type", "VirtualDisk"}, {"Path", path}};
}

Json first_disk(const std::string& path) {
    return {{kController, {{"Attachments", {{"0", disk(path)}}}}}};
}

Json topology(std::uint64_t memory_mb, std::uint32_t processors) {
    return {{"Memory",
             {{"SizeInMB", memory_mb},
              {"AllowOvercommit", true},
              {"EnableHotHint", true},
              {"EnableDeferredCommit", false}}},
            {"Processor", {{"Count", processors}}}};
}

Json sockets() {
    return {{"HvSocketConfig", {{"DefaultBindSecurityDescriptor", kSocketDescriptor}}}};
}

Json vm_document(const std::string& owner, Json machine) {
    return {{"Owner", owner},
            {"SchemaVersion", version()},
            {"ShouldTerminateOnLastHandleClosed", true},
            {"VirtualMachine", std::move(machine)}};
}

// So that network namespaces of containers are namespaces in the guest.
Json guest_namespaces() {
    return {{"AddValues",
             Json::array({Json{{"Key", {{"Hive", "System"}, {"Name", "CurrentControlSet\\Services\\gns"}}},
                               {"Name", "EnableCompartmentNamespace"},
                               {"Type", "DWord"},
                               {"DWordValue", 1}}})}};
}

std::string disk_path(std::uint32_t lun) {
    if (lun == 0 || lun > kMostLun) {
        throw base::fail(base::ErrorCode::Exhausted, "a utility VM has no room for a disk {}", lun);
    }
    return fmt::format("VirtualMachine/Devices/Scsi/{}/Attachments/{}", kController, lun);
}

Json guest_request(const char* resource, Json settings, const char* type = "Add") {
    return {{"RequestType", type}, {"ResourceType", resource}, {"Settings", std::move(settings)}};
}

Json mapped_disk(std::uint32_t lun) {
    return {{"ContainerPath", disk_in_guest(lun)}, {"Lun", lun}};
}

}  // namespace

std::string utility_vm_document(const UtilityVm& vm) {
    Json boot = {{"DeviceType", "VmbFs"}, {"DevicePath", "\\EFI\\Microsoft\\Boot\\bootmgfw.efi"}};
    Json shares = {{"DirectFileMappingInMB", 1024},
                   {"Shares", Json::array({document_of({"os", vm.os_files})})}};
    return dump(vm_document(
        vm.owner,
        {{"StopOnReset", true},
         {"Chipset", {{"Uefi", {{"BootThis", std::move(boot)}}}}},
         {"ComputeTopology", topology(vm.memory_mb, vm.processors)},
         {"Devices",
          {{"Scsi", first_disk(vm.scratch)}, {"HvSocket", sockets()}, {"VirtualSmb", std::move(shares)}}},
         {"RegistryChanges", guest_namespaces()},
         {"GuestConnection", Json::object()}}));
}

std::string utility_vm_document(const LinuxUtilityVm& vm) {
    if (vm.layer_disks.size() > kMostPersistentMemory) {
        throw base::fail(base::ErrorCode::Exhausted, "a utility VM has no room for {} layers",
                         vm.layer_disks.size());
    }
    Json kernel = {{"KernelFilePath", vm.kernel}};
    if (!vm.initial_ramdisk.empty()) kernel["InitRdPath"] = vm.initial_ramdisk;
    if (!vm.command_line.empty()) kernel["KernelCmdLine"] = vm.command_line;
    Json layers = Json::object();
    for (std::size_t i = 0; i < vm.layer_disks.size(); ++i) {
        layers[std::to_string(i)] = {
            {"HostPath", vm.layer_disks[i]}, {"ReadOnly", true}, {"ImageFormat", "Vhd1"}};
    }
    Json memory = {{"MaximumCount", kMostPersistentMemory},
                   {"MaximumSizeBytes", kPersistentMemoryBytes},
                   {"Backing", "Virtual"}};
    if (!layers.empty()) memory["Devices"] = std::move(layers);
    Json document = vm_document(
        vm.owner,
        {{"StopOnReset", true},
         {"Chipset", {{"LinuxKernelDirect", std::move(kernel)}}},
         {"ComputeTopology", topology(vm.memory_mb, vm.processors)},
         {"Devices",
          {{"Scsi", first_disk(vm.scratch)}, {"HvSocket", sockets()}, {"VirtualPMem", std::move(memory)}}},
         {"GuestConnection", Json::object()}});
    document["SchemaVersion"]["Minor"] = 2;  // LinuxKernelDirect
    return dump(document);
}

std::string share_in_guest(const std::string& name) {
    return kShareHost + name;
}

std::string disk_in_guest(std::uint32_t lun) {
    return fmt::format("c:\\mounts\\scsi\\m{}", lun);
}

std::string add_share_request(const Share& share) {
    return dump(Json{{"RequestType", "Add"},
                     {"ResourcePath", "VirtualMachine/Devices/VirtualSmb/Shares"},
                     {"Settings", document_of(share)}});
}

std::string remove_share_request(const std::string& name) {
    return dump(Json{{"RequestType", "Remove"},
                     {"ResourcePath", "VirtualMachine/Devices/VirtualSmb/Shares"},
                     {"Settings", {{"Name", name}}}});
}

std::string attach_disk_request(std::uint32_t lun, const std::string& host_path) {
    return dump(Json{{"RequestType", "Add"},
                     {"ResourcePath", disk_path(lun)},
                     {"Settings", disk(host_path)},
                     {"GuestRequest", guest_request("MappedVirtualDisk", mapped_disk(lun))}});
}

std::string detach_disk_request(std::uint32_t lun) {
    return dump(Json{{"RequestType", "Remove"},
                     {"ResourcePath", disk_path(lun)},
                     {"GuestRequest", guest_request("MappedVirtualDisk", mapped_disk(lun), "Remove")}});
}

std::string combine_layers_request(const std::string& root, const std::vector<Layer>& layers) {
    Json list = Json::array();
    for (const Layer& layer : layers) list.push_back({{"Id", layer.Id}, {"Path", layer.Path}});
    return dump(Json{{"GuestRequest", guest_request("CombinedLayers", {{"ContainerRootPath", root},
                                                                       {"Layers", std::move(list)}})}});
}

std::string separate_layers_request(const std::string& root) {
    return dump(
        Json{{"GuestRequest", guest_request("CombinedLayers", {{"ContainerRootPath", root}}, "Remove")}});
}

std::string add_namespace_request(const std::string& network_namespace) {
    return dump(Json{{"GuestRequest", guest_request("NetworkNamespace", {{"ID", network_namespace}})}});
}

std::string announce_adapter_request(const std::string& adapter, const std::string& endpoint) {
    Json settings = {{"AdapterId", adapter}, {"RequestType", "PreAdd"}, {"Settings", Json::parse(endpoint)}};
    return dump(Json{{"GuestRequest", guest_request("Network", std::move(settings))}});
}

std::string add_adapter_request(const std::string& adapter, const std::string& endpoint_id,
                                const std::string& mac_address) {
    return dump(
        Json{{"RequestType", "Add"},
             {"ResourcePath", "VirtualMachine/Devices/NetworkAdapters/" + adapter},
             {"Settings", {{"EndpointId", endpoint_id}, {"MacAddress", mac_address}}},
             {"GuestRequest", guest_request("Network", {{"AdapterId", adapter}, {"RequestType", "Add"}})}});
}

std::string hosted_container_document(const std::string& vm_id, const ComputeSystemDocument& container) {
    Json inner = Json::parse(to_json(container));
    return dump(Json{
        {"Owner", container.Owner},
        {"SchemaVersion", version()},
        {"HostingSystemId", vm_id},
        {"ShouldTerminateOnLastHandleClosed", container.ShouldTerminateOnLastHandleClosed},
        {"HostedSystem", {{"SchemaVersion", inner["SchemaVersion"]}, {"Container", inner["Container"]}}}});
}

}  // namespace mullion::hcs
