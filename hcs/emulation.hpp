// HCS on Linux: namespaces, overlayfs and Wine behind hcs/compute_system.hpp and hcs/layer_storage.hpp.
//
// A *box* is the namespaces of one compute system: user (unless we are root), mount, pid, ipc, uts, cgroup
// and, unless it may reach out, network. It sees C: (overlay of scratch, Wine's own files and the image's
// layers), Wine's runtime files read-only, and nothing else of the host. Wine's own system files always win
// over the image's. Every box has a process limit and a memory limit, and a time limit unless its caller sees
// to that; a box without a working process limit is refused. What Wine would only pretend to do is removed,
// so that the image's own program is used or cmd finds none (hint_for_command).
//
// NetworkMode::Nat is the host's network namespace, shared (what BuildKit calls host mode): an emulation has
// no right to set up a bridge. It is offered only if EmulationOptions allows it; Host is the same thing. None
// is a network namespace of the box' own with loopback up. A port can be published under its own number on
// all addresses, if it is free and not reserved for privileged programs. Names are resolved by the host's
// resolver or by the DNS servers asked for (three at most); a file mapped to
// C:\Windows\System32\drivers\etc\hosts counts, as it does on Windows. Named networks, CNI configurations and
// MTUs are refused.
//
// A mapped file may be one that only this process can name (base::PrivateFile): its bytes are handed to the
// box, which keeps them in its memory.
//
// Registry: exported changes are the difference between the prepared registry and the one of the box, without
// times, Wine's own keys and volatile keys. They are in no layer: the caller decides what that means.
//
// Not faithful, and not refused because no document says it: ContainerUser has the rights of
// ContainerAdministrator (it differs in its variables and profile); hidden and system attributes are lost;
// renaming a directory of a lower layer fails (overlayfs could only keep it as a redirection, which no layer
// can hold), a program then has to copy it; streams of a file that the same container made stay when the file
// is deleted, as those of an empty file. Without a control group (an ordinary user to whom none is delegated)
// tasks are limited by RLIMIT_NPROC and memory per process by RLIMIT_DATA: programs then see calls fail, and
// no wait() reports Exhausted.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/cancel.hpp"
#include "hcs/compute_system.hpp"
#include "hcs/layer_storage.hpp"

namespace mullion::hcs {

struct EmulationLimits {
    std::uint32_t tasks = 512;       // processes and threads of a box
    std::uint64_t memory_in_mb = 0;  // for documents without Memory; 0: three quarters of the host's
    // From the start of a system to its end; nullopt: none, the caller ends what takes too long.
    std::optional<std::chrono::seconds> time_limit = std::chrono::seconds(3600);
};

struct EmulationOptions {
    // The prepared Wine layer lives in `<state>/wine`; shared safely between processes.
    std::filesystem::path state;
    EmulationLimits limits;
    bool allow_host_network = false;
};

std::unique_ptr<ComputeService> make_emulated_compute_service(const EmulationOptions& options);
std::unique_ptr<LayerStorage> make_emulated_layer_storage(const EmulationOptions& options);

// Makes the Wine layer if it is not there (tens of seconds, once per Wine version) and runs its self-test.
// Done by the first start() anyway; callers use it to say what takes so long. Throws what keeps it from
// working.
void prepare_emulation(const EmulationOptions& options, const base::CancelToken& cancel);
// Whether that is done, for the Wine and the libraries there are now.
bool emulation_prepared(const EmulationOptions& options);

// Why no box can run here ("user namespaces are disabled", "Wine is not installed", ...); nullopt if one can.
std::optional<std::string> emulation_problem();

}  // namespace mullion::hcs
