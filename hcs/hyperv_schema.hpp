// The documents of Hyper-V isolation, schema 2.1 (hcs.md §2.2): a utility VM that boots the image's own
// Windows, what is added to it, and the container it hosts. Byte-stable, as hcs/schema.hpp.
//
//     HcsCreateComputeSystem("vm-9", utility_vm_document(vm))     ... start ...
//     HcsModifyComputeSystem(vm, add_share_request("s1", layer))  ... for each layer ...
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

// Where the VM's guest sees things.
std::string share_in_guest(const std::string& share);  // "\\?\VMSMB\VSMB-{...}\s1"
std::string disk_in_guest(std::uint32_t lun);          // "c:\mounts\scsi\m1"

// Modify requests. A share's name is unique in its VM; LUNs are 1 to 63, 0 is the VM's own.
std::string add_share_request(const std::string& share, const std::string& host_path);
std::string remove_share_request(const std::string& share);
std::string attach_disk_request(std::uint32_t lun, const std::string& host_path);
std::string detach_disk_request(std::uint32_t lun);
// `layers` have guest paths, topmost first.
std::string combine_layers_request(const std::string& root, const std::vector<Layer>& layers);
std::string add_namespace_request(const std::string& network_namespace);

// The container, whose paths of the host are the guest's.
std::string hosted_container_document(const std::string& vm_id, const ComputeSystemDocument& container);

}  // namespace mullion::hcs
