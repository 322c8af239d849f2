// `mullion run`: one container from an image of the local store, in the foreground.
//
// There is no store of containers: what the container changed goes with its scratch when it ends, whether
// --rm was given or not.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/cancel.hpp"
#include "base/progress.hpp"
#include "base/stream.hpp"
#include "oci/image.hpp"
#include "worker/worker.hpp"

namespace mullion::worker {

struct Volume {
    std::string host_path;       // absolute, exists
    std::string container_path;  // "C:\data"
    bool read_only = false;
};

struct ContainerRequest {
    oci::Image image;
    std::string image_name;                 // for messages
    std::optional<std::string> entrypoint;  // replaces the image's, and its CMD
    std::vector<std::string> arguments;     // replace the image's CMD
    std::vector<std::string> environment;   // "K=V", on top of the image's
    std::string working_directory;          // empty: the image's
    std::string user;                       // empty: the image's
    std::vector<Volume> volumes;
    hcs::NetworkSpec network;
    oci::Isolation isolation = oci::Isolation::Auto;
    Limits limits;  // time_limit of the whole container
    std::string host_name;

    base::Source* standard_input = nullptr;      // not owned; null: none
    std::function<void()> interrupt_input = {};  // hcs::ProcessStreams::interrupt_input
    base::Sink* standard_output = nullptr;       // not owned
    base::Sink* standard_error = nullptr;        // not owned
};

struct ContainerEnd {
    std::uint32_t exit_code = 0;  // 32 bits, as Windows has them
    std::optional<base::ResourceUsage> usage;
};

// Runs it to its end. Throws Unsupported for what the backend cannot do (Hyper-V isolation, networks),
// Invalid for an image without a command, Canceled, TimedOut.
ContainerEnd run_container(Worker& worker, const ContainerRequest& request, const base::CancelToken& cancel);

// The Windows command line that the image's entrypoint and command (or what replaces them) stand for. Exec
// form is quoted so that CommandLineToArgvW gives the same arguments back; with `args_escaped` the text is
// one command line already (hcs.md §4.6).
std::string container_command_line(const oci::RunConfig& config, const std::optional<std::string>& entrypoint,
                                   const std::vector<std::string>& arguments);

}  // namespace mullion::worker
