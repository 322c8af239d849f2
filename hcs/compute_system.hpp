// Compute systems: containers that run processes, in HCS's vocabulary (computecore.h).
//
//     auto scratch = ...;                                    // hcs/layer_storage.hpp
//     ComputeSystemDocument document = ...;                  // hcs/schema.hpp
//     auto system = service.create("build-7-step-3", document, cancel);
//     system->start(cancel);
//     ProcessStreams streams{.standard_output = &out, .standard_error = &err};
//     auto process = system->create_process(parameters, streams, cancel);
//     ProcessStatus status = process->wait(std::nullopt, cancel);
//     system->terminate();                                   // or let it go out of scope
//
// States of a system: Created -start-> Running -terminate-> Stopped. What is not valid in a state throws
// Error{Invalid} naming HCS_E_INVALID_STATE. Terminating a stopped system is quiet. Objects may be used from
// several threads; a process must not outlive its system, a system not its service.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.hpp"
#include "base/stream.hpp"
#include "hcs/hcs_error.hpp"
#include "hcs/network_schema.hpp"
#include "hcs/schema.hpp"

namespace mullion::hcs {

// Where a process' output goes and its input comes from. Not owned; must live until the process object is
// gone. A sink or source is given exactly for the streams whose Create...Pipe flag is set (Invalid
// otherwise). They are called on threads of the process object, one thread a stream. A sink that throws ends
// the process; wait() then throws what the sink threw. A source is read ahead.
struct ProcessStreams {
    base::Source* standard_input = nullptr;
    base::Sink* standard_output = nullptr;
    base::Sink* standard_error = nullptr;
    // Makes a read of standard_input that waits, and every later one, return 0. Needed where reads can wait
    // without end (a terminal, a pipe): the process object is gone only when its threads are.
    std::function<void()> interrupt_input = {};
};

// Throws Invalid for parameters that are none, text that is not UTF-8, and streams that do not match the
// flags.
void check_process(const ProcessParameters& parameters, const ProcessStreams& streams);

// "CtrlC" lets the process end itself where the backend can deliver it; Kill always ends it.
enum class Signal { CtrlC, Kill };

class Process {
  public:
    using Deadline = std::chrono::steady_clock::time_point;

    // Kills the process if it still runs.
    virtual ~Process() = default;

    virtual std::uint32_t id() const = 0;

    // Waits for the end of the process and of its output (output that a grandchild keeps open is read for one
    // more second). Exited is false in the result if `deadline` came first; the process then still runs.
    // Throws Canceled (the process still runs: kill it or drop it), and for ends that are not the process'
    // own: TimedOut (the system's time limit), Exhausted (process or memory limit), Process (the system
    // died under it, or was terminated).
    virtual ProcessStatus wait(std::optional<Deadline> deadline, const base::CancelToken& cancel) = 0;

    // Throws Invalid (HCS_E_PROCESS_ALREADY_STOPPED) if it has ended, Unsupported for a signal that the
    // backend cannot deliver.
    virtual void signal(Signal signal) = 0;
};

enum class SystemState { Created, Running, Stopped };

class ComputeSystem {
  public:
    // Terminates (ShouldTerminateOnLastHandleClosed must be true: nothing of ours may outlive us). Waits
    // until no process of it is left.
    virtual ~ComputeSystem() = default;

    virtual const std::string& id() const = 0;
    virtual SystemState state() const = 0;

    virtual void start(const base::CancelToken& cancel) = 0;
    virtual std::unique_ptr<Process> create_process(const ProcessParameters& parameters,
                                                    const ProcessStreams& streams,
                                                    const base::CancelToken& cancel) = 0;
    // What it has used since its start, for running systems. Throws what the backend fails with; numbers that
    // it does not know are 0.
    virtual Statistics statistics() = 0;
    // Ends the system in order once its processes have ended: what they wrote (registry included) is in the
    // scratch afterwards. Kills processes that still run. Needed before LayerStorage::export_layer.
    virtual SystemExitStatus shut_down(const base::CancelToken& cancel) = 0;
    // Ends it now, whatever runs. Changes may be missing from the scratch.
    virtual void terminate() = 0;
};

// What network a container gets.
enum class NetworkMode {
    None,  // loopback only
    Nat,   // can reach out; see the backend's header for what that means there
    Host,  // the host's own, shared
};

inline constexpr std::uint16_t kLeastMtu = 576;
inline constexpr std::uint16_t kLargestMtu = 1500;

// The network of one container. What is empty is as the network itself has it; a container without a network
// has none of the rest.
struct NetworkSpec {
    NetworkMode mode = NetworkMode::None;
    std::string name = {};  // which network of the host Nat means; "" leaves that to the backend
    // What to make if the host has no network of that name; only NAT networks are made.
    std::optional<HostNetwork> definition = {};
    HostDns dns = {};
    std::vector<PortMapping> ports = {};
    std::uint16_t mtu = 0;  // kLeastMtu to kLargestMtu
};

class ComputeService {
  public:
    virtual ~ComputeService() = default;

    // Checks the document against what the backend can do; nothing runs yet. Throws Exists for an id in use
    // by this service, Invalid or Unsupported naming the member.
    virtual std::unique_ptr<ComputeSystem> create(const std::string& id,
                                                  const ComputeSystemDocument& document,
                                                  const base::CancelToken& cancel) = 0;

    // The same under Hyper-V isolation: in a utility VM of its own, which runs when this returns and goes
    // with the system. `scratch` is the folder of a scratch that nobody has attached, Storage.Path is empty;
    // once the system was shut down the scratch is free again. Throws Unsupported where there are no such
    // VMs.
    virtual std::unique_ptr<ComputeSystem> create_hyperv(const std::string& id,
                                                         const ComputeSystemDocument& document,
                                                         const std::filesystem::path& scratch,
                                                         const base::CancelToken& cancel) = 0;

    // Throws Unsupported, naming it, for what of a network this backend cannot do (or may not), and Invalid
    // for what no backend could. Makes nothing.
    virtual void check_network(const NetworkSpec& spec) const = 0;

    // The Networking member that gives one container this network; nullopt for None. Throws the same, Exists
    // for a port in use, NotFound for a network that is not there.
    virtual std::optional<Networking> networking(const NetworkSpec& spec) = 0;

    // The MappedDirectories entry that gives a container an empty directory in memory, in which no more than
    // `size` bytes have room (0: what the container's memory limit allows). Throws Unsupported if the backend
    // has no such thing.
    virtual MappedDirectory memory_directory(const std::string& container_path, std::uint64_t size) = 0;
};

// What to tell the user whose RUN failed, if the failure has a cause this backend knows ("findstr" is not
// there, ...). `output_tail` is the end of what the command printed, both streams.
std::optional<std::string> hint_for_command(std::string_view command_line, std::uint32_t exit_code,
                                            std::string_view output_tail);

// Why a command must not run in the emulation although it would report success: Wine's program answers only
// in part (whoami /all). nullopt for every other command. Only the command line itself is looked at.
std::optional<std::string> pretending_command(std::string_view command_line);

}  // namespace mullion::hcs
