// The options of `build` and `run` about the network of containers.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hcs/compute_system.hpp"

namespace mullion::cli {

// As typed.
struct NetworkFlags {
    std::optional<std::string> cni_config;
    std::vector<std::string> dns;
    std::uint32_t mtu = 0;
    std::vector<std::string> publish;  // of `run`
};

// --cni-config, --dns and --mtu.
void add_network_options(CLI::App& command, NetworkFlags& flags);

// What of a network they ask for; `spec` has the mode and the name already. Reads the CNI configuration, of a
// directory the first one by name. Throws Invalid or Unsupported naming the option, for options without a
// network too, and NotFound for a file that is not there.
void apply_network_options(const NetworkFlags& flags, hcs::NetworkSpec& spec);

}  // namespace mullion::cli
