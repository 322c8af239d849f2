// HCS on Windows: hcs/compute_system.hpp on computecore.dll, hcs/layer_storage.hpp on vmcompute.dll and
// computestorage.dll. See docs/windows.md for what of it has met a real host.
//
// Networks (NetworkMode): Nat is the host's NAT network, "nat" unless there is none, with an endpoint and a
// namespace for each system; they go when the system goes. Host is refused: Windows containers cannot share
// the host's network.
//
// shut_down() gives the processes of a system NativeOptions::shut_down_limit to end, then terminates it; the
// ExitType is then "ForcedExit". What had reached the scratch is still in it.
//
// create_hyperv() boots a utility VM from the uppermost layer that has the folder UtilityVM, with the
// container's memory limit on top of what its own Windows needs. Pipes cannot be mapped into it.
//
// Layer folders are Windows' own (hcs/native_import.hpp), and only Windows, or an administrator with
// enable_layer_privileges(), can remove all that is in them. A scratch that cannot be destroyed because
// somebody uses it is moved away ("rm-...") and destroyed at a later start, as are the scratches of processes
// that were killed.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "hcs/compute_system.hpp"
#include "hcs/layer_storage.hpp"

namespace mullion::hcs {

struct NativeOptions {
    std::chrono::milliseconds create_limit = std::chrono::minutes(4);  // also of a start
    std::chrono::milliseconds shut_down_limit = std::chrono::minutes(2);
};

// Throws Unsupported, with the feature to enable, on a Windows without HCS.
std::unique_ptr<ComputeService> make_native_compute_service(const NativeOptions& options = {});

struct NativeStorageOptions {
    std::filesystem::path state;  // the list of scratches lives in `<state>/scratches`
    // Size of a container's disk, which grows as it fills. Windows' own 20 GB are too few for build tools;
    // this is what Docker gives.
    std::uint64_t scratch_bytes = std::uint64_t{127} << 30;
};

// Rolls back first what killed processes left. Throws Unsupported as above, Denied without administrators'
// privileges.
std::unique_ptr<LayerStorage> make_native_layer_storage(const NativeStorageOptions& options);

// For the process and for good: it reads, writes and removes files whoever owns them and whatever their
// descriptors say. A layer storage does it itself. Throws Denied without administrators' privileges.
void enable_layer_privileges();

}  // namespace mullion::hcs
