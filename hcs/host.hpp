// The Windows we run on, as far as it decides which containers can run. Windows only: the emulation has no
// such host, it runs images of every version.
#pragma once

#include <string>

namespace mullion::hcs {

struct HostFacts {
    std::string version;  // "10.0.20348.2700"; the revision is 0 where the registry does not tell it
    bool is_server = false;
    // The feature Hyper-V is installed: its management service (vmms) is registered. Whether the hypervisor
    // runs (virtualisation may be off in the firmware, or not passed on to a virtual machine) shows only in
    // HCS' answer, HcsError::HyperVNotInstalled.
    bool has_hyperv = false;
};

HostFacts host_facts();

}  // namespace mullion::hcs
