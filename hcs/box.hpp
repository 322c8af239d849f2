// A box: the namespaces, mounts and limits a compute system runs in, with wineserver running in it.
//
// The engine's half of hcs/box_protocol.hpp; the other half is hcs/box_init. A box is made running and ends
// with stop() (in order, registry saved), on a failure (a limit hit, wineserver dead), or with the object.
// Whatever ends it, no process, mount or control group of it is left afterwards; if the engine is killed, the
// box goes too (its processes at once; an empty control group stays until the next box of anybody sweeps it).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "hcs/control_group.hpp"

namespace mullion::hcs {

struct BoxMapping {
    enum class Kind {
        Bind,    // a file or directory of the host
        Copy,    // a file that only we can name (base::PrivateFile): its bytes, in the box' memory
        Memory,  // an empty directory in memory
    };

    Kind kind = Kind::Bind;
    std::filesystem::path host;
    std::string target;  // relative to C:, '/' between names: "src/app"; or absolute in the box: "/etc/hosts"
    bool read_only = false;
    std::uint64_t size = 0;  // of Memory, in bytes
};

struct BoxPlan {
    std::filesystem::path root;                 // see hcs/wine_layer.hpp
    std::vector<std::filesystem::path> lowers;  // of C:, topmost first; at least one
    std::filesystem::path upper;
    std::filesystem::path work;
    std::filesystem::path prefix;  // registry files
    std::vector<BoxMapping> mappings;
    std::string hostname;
    bool own_network = true;
    ResourceLimits limits;
    std::optional<std::chrono::seconds> time_limit;  // nullopt: none
};

// How a process of a box ended.
struct BoxExit {
    int unix_status = 0;
    std::optional<std::uint32_t> code;  // what the launcher reported; nullopt if it could not
};

class Box {
  public:
    using Clock = std::chrono::steady_clock;

    // Returns when processes can be started. Throws what keeps it from working: Denied, Unsupported, Io, ...
    Box(const BoxPlan& plan, const base::CancelToken& cancel);
    ~Box();
    Box(const Box&) = delete;
    Box& operator=(const Box&) = delete;

    // Starts a program of the box. The descriptors become its standard streams (the caller keeps its own
    // copies); `file` appears as /run/process-ID. Throws the box' failure if it is down.
    void spawn(const std::string& id, const std::vector<std::string>& arguments,
               const std::vector<std::string>& variables, int in, int out, int err, std::string_view file);

    // nullopt if `deadline` came first. Throws Canceled, or the box' failure if it is down before the process
    // ended.
    std::optional<BoxExit> wait(const std::string& id, std::optional<Clock::time_point> deadline,
                                const base::CancelToken& cancel);
    void kill(const std::string& id);

    // Of a running box. Without a control group only the time is known.
    Statistics statistics() const;

    // Kills what still runs and lets wineserver save the registry. Throws the box' failure.
    void stop(const base::CancelToken& cancel);
    // Ends it now; who waits gets `Process` ("terminated").
    void terminate();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// Why no box can be made on this machine; nullopt if it looks possible.
std::optional<std::string> box_problem();

}  // namespace mullion::hcs
