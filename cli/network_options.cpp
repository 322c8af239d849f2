#include "cli/network_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <tuple>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "cli/ip_address.hpp"
#include "cli/port_option.hpp"
#include "hcs/cni_config.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxConfig = 1 << 20;
// What containerd and its kin look for.
constexpr std::array kConfigExtensions = {".conf", ".conflist", ".json"};

bool is_config(const fs::path& file) {
    return std::find(kConfigExtensions.begin(), kConfigExtensions.end(), file.extension()) !=
           kConfigExtensions.end();
}

fs::path config_file(const std::string& option) {
    fs::path path = base::to_path(option);
    std::error_code code;
    if (!fs::is_directory(path, code)) return path;
    fs::directory_iterator entries(path, code);
    if (code) throw base::system_error(code, fmt::format("--cni-config {}", option));
    std::vector<fs::path> files;
    for (const fs::directory_entry& entry : entries) {
        if (is_config(entry.path()) && entry.is_regular_file(code)) files.push_back(entry.path());
    }
    if (files.empty()) {
        throw fail(ErrorCode::NotFound, "--cni-config {}: no .conf, .conflist or .json file is there",
                   option);
    }
    return *std::min_element(files.begin(), files.end());
}

void require(bool capable, std::string_view option, std::string_view capability, const std::string& file) {
    if (capable) return;
    throw fail(ErrorCode::Invalid,
               "{}: the CNI configuration {} does not say that its network is capable of {}", option, file,
               capability)
        .hint(fmt::format("if it is, add \"capabilities\": {{\"{}\": true}} there", capability));
}

void apply_config(const NetworkFlags& flags, hcs::NetworkSpec& spec) {
    if (!spec.name.empty()) {
        throw fail(ErrorCode::Invalid, "--cni-config and --network {} name two networks", spec.name);
    }
    if (flags.cni_config->empty()) {
        throw fail(ErrorCode::Invalid, "invalid --cni-config \"\": expected a file or a directory");
    }
    std::string file = config_file(*flags.cni_config).string();
    hcs::CniConfig config = base::with_context(
        [&] { return "--cni-config " + file; },
        [&] { return hcs::parse_cni_config(base::read_file(base::to_path(file), kMaxConfig)); });
    if (!flags.publish.empty()) require(config.port_mappings, "--publish", "portMappings", file);
    if (!flags.dns.empty()) require(config.dns, "--dns", "dns", file);
    spec.name = config.network.name;
    spec.dns = config.network.dns;
    spec.definition = std::move(config.network);
}

void apply_ports(const std::vector<std::string>& options, hcs::NetworkSpec& spec) {
    std::set<std::tuple<std::uint32_t, std::uint16_t, std::string>> taken;
    for (const std::string& option : options) {
        for (const hcs::PortMapping& port : parse_ports(option)) {
            if (!taken.emplace(port.protocol, port.host_port, port.host_address).second) {
                throw fail(ErrorCode::Invalid, "--publish {}: port {} is published already", option,
                           port.host_port);
            }
            spec.ports.push_back(port);
        }
    }
}

void refuse_without_network(const NetworkFlags& flags) {
    const char* given = flags.cni_config         ? "--cni-config"
                        : !flags.dns.empty()     ? "--dns"
                        : flags.mtu != 0         ? "--mtu"
                        : !flags.publish.empty() ? "--publish"
                                                 : nullptr;
    if (given != nullptr)
        throw fail(ErrorCode::Invalid, "{} and --network none contradict each other", given);
}

}  // namespace

void add_network_options(CLI::App& command, NetworkFlags& flags) {
    command.add_option("--cni-config", flags.cni_config,
                       "Take the network of this CNI configuration (a file, or a directory of them)");
    command.add_option("--dns", flags.dns, "Address of a DNS server for containers")
        ->take_all()
        ->allow_extra_args(false);
    command.add_option("--mtu", flags.mtu, "Longest packet of the containers' network, in bytes")
        ->check(CLI::Range(hcs::kLeastMtu, hcs::kLargestMtu));
}

void apply_network_options(const NetworkFlags& flags, hcs::NetworkSpec& spec) {
    if (spec.mode == hcs::NetworkMode::None) return refuse_without_network(flags);
    if (flags.cni_config) apply_config(flags, spec);
    for (const std::string& server : flags.dns) {
        if (!is_ip_address(server)) {
            throw fail(ErrorCode::Invalid, "invalid --dns \"{}\": expected an IP address", server);
        }
    }
    if (!flags.dns.empty()) spec.dns.servers = flags.dns;
    spec.mtu = static_cast<std::uint16_t>(flags.mtu);
    apply_ports(flags.publish, spec);
}

}  // namespace mullion::cli
