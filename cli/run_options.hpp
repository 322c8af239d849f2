// The options of `build` that are about RUN steps: what they may reach, see and use.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/network_options.hpp"

namespace mullion::cli {

struct BuildRequest;

// As typed.
struct RunFlags {
    std::string network = "default";
    NetworkFlags networking;
    std::string isolation = "auto";
    std::string memory;
    std::string cpus;
    std::string step_timeout;
    std::vector<std::string> secrets;
    std::vector<std::string> ssh;
    std::vector<std::string> allow;
    std::vector<std::string> add_hosts;
    std::vector<std::string> ulimits;
    std::string shm_size;
    std::string cgroup_parent;
    bool allow_registry_loss = false;
};

void add_run_options(CLI::App& command, RunFlags& flags);

// Throws Invalid for what is malformed and Unsupported for what Windows containers do not have, naming the
// option.
void apply_run_options(const RunFlags& flags, BuildRequest& request);

}  // namespace mullion::cli
