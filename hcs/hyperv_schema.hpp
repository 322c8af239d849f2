// The documents of Hyper-V isolation, schema 2.1 (hcs.md §2.2): a utility VM that boots the image's own
// Windows, what is added to it, and the container it hosts. Byte-stable, as hcs/schema.hpp.
//
//     HcsCreateComputeSystem("vm-9", utility_vm_document(vm))     ... start ...
//     HcsModifyComputeSystem(vm, add_share_request({"s1", layer}))  ... for each layer ...
//     HcsModifyComputeSystem(vm, attach_disk_request(1, scratch))
//     HcsModifyComputeSystem(vm, combine_layers_request(root, layers))
//     HcsCreateComputeSystem("run-9", hosted_container_document("vm-9", container))
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "hcs/schema.hpp"

namespace mullion::hcs {

// A VM that runs Windows containers.
struct UtilityVm {
    std::string owner;
    std::string os_files;  // `<layer>\UtilityVM\Files` of the uppermost layer that has it: what it boots
    std::string scratch;   // its own disk, a copy of `<layer>\UtilityVM\SystemTemplate.vhdx`; SCSI 0:0
    std::uint64_t memory_mb = 1024;
    std::uint32_t processors = 2;
    bool operator==(const UtilityVm&) const = default;
};

// One that runs Linux containers, booting a kernel directly (hcs.md §2.3). Documents only: nothing of ours
// runs it.
struct LinuxUtilityVm {
    std::string owner;
    std::string kernel;
    std::string initial_ramdisk;
    std::string command_line;
    std::uint64_t memory_mb = 1024;
    std::uint32_t processors = 2;
    std::vector<std::string> layer_disks;  // ext4 in VHDs, as persistent memory
    std::string scratch;                   // SCSI 0:0
    bool operator==(const LinuxUtilityVm&) const = default;
};

std::string utility_vm_document(const UtilityVm& vm);
std::string utility_vm_document(const LinuxUtilityVm& vm);

// A directory of the host that the guest sees.
struct Share {
    enum class Use { Layer, ReadOnly, Writable };

    std::string name;  // unique in its VM
    std::string host_path;
    Use use = Use::Layer;
    std::string only_file = {};  // the one file in it that the guest sees; "" for all
};

// Where the VM's guest sees things.
std::string share_in_guest(const std::string& share);  // "\\?\VMSMB\VSMB-{...}\s1"
std::string disk_in_guest(std::uint32_t lun);          // "c:\mounts\scsi\m1"

// Modify requests. LUNs are 1 to 63, 0 is the VM's own. The guest lets go of what it combined and of a disk
// before they are taken from it.
std::string add_share_request(const Share& share);
std::string remove_share_request(const std::string& share);
std::string attach_disk_request(std::uint32_t lun, const std::string& host_path);
std::string detach_disk_request(std::uint32_t lun);
// `layers` have guest paths, topmost first.
std::string combine_layers_request(const std::string& root, const std::vector<Layer>& layers);
std::string separate_layers_request(const std::string& root);
std::string add_namespace_request(const std::string& network_namespace);
// A network adapter: the guest is told of it first. `endpoint` is the document of its endpoint.
std::string announce_adapter_request(const std::string& adapter, const std::string& endpoint);
std::string add_adapter_request(const std::string& adapter, const std::string& endpoint_id,
                                const std::string& mac_address);

// The container, whose paths of the host are the guest's.
std::string hosted_container_document(const std::string& vm_id, const ComputeSystemDocument& container);

}  // namespace mullion::hcs
