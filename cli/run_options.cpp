#include "cli/run_options.hpp"

#include <charconv>

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "cli/build_request.hpp"
#include "cli/ip_address.hpp"
#include "cli/option_values.hpp"
#include "cli/os_options.hpp"
#include "cli/secret_option.hpp"
#include "cli/ssh_option.hpp"
#include "worker/isolation.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

// Containers share the host's network here, so the way to the host is loopback.
constexpr std::string_view kHostGateway = "host-gateway";
constexpr const char* kHostGatewayAddress = "127.0.0.1";
constexpr std::uint32_t kMostProcessors = 4096;
constexpr std::chrono::seconds kDefaultStepTimeout = std::chrono::hours(1);

bool is_host_name(std::string_view name) {
    auto legal = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_'; };
    return !name.empty() && name.size() <= 253 && std::all_of(name.begin(), name.end(), legal);
}

// HOST=IP or HOST:IP; the address of the latter may have colons of its own, or stand in brackets.
std::pair<std::string, std::string> parse_host(const std::string& text) {
    std::size_t separator = std::min(text.find('='), text.find(':'));
    std::string name = text.substr(0, separator);
    std::string address = separator == std::string::npos ? "" : text.substr(separator + 1);
    if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
    if (address == kHostGateway) address = kHostGatewayAddress;
    if (!is_host_name(name) || !is_ip_address(address)) {
        throw fail(ErrorCode::Invalid, "invalid --add-host \"{}\": expected HOST:IP", text);
    }
    return {name, address};
}

void allow(const std::string& entitlement, BuildRequest& request) {
    std::string_view kind = std::string_view(entitlement).substr(0, entitlement.find('='));
    if (entitlement == "network.host") {
        request.worker.allow_host_network = true;
    } else if (entitlement == "security.insecure") {
        throw fail(ErrorCode::Unsupported,
                   "--allow security.insecure: a step cannot be given more rights here: every container is "
                   "confined");
    } else if (kind == "device") {
        throw fail(ErrorCode::Unsupported, "--allow {}: containers here have no devices", entitlement);
    } else if (kind == "fs" || kind == "fs.read" || kind == "fs.write") {
        throw fail(ErrorCode::Unsupported,
                   "--allow {}: a build reads the files its own options name, and asks for no others",
                   entitlement);
    } else {
        throw fail(ErrorCode::Invalid, "--allow: unknown entitlement {}", entitlement)
            .hint("network.host is what can be allowed");
    }
}

[[noreturn]] void not_on_windows(std::string_view option, std::string_view why) {
    throw fail(ErrorCode::Unsupported, "{} is not supported: {}", option, why)
        .hint("--memory, --cpus and --step-timeout limit RUN steps");
}

void refuse_unix_limits(const RunFlags& flags) {
    if (!flags.ulimits.empty()) not_on_windows("--ulimit", "Windows processes have no such limits");
    if (!flags.shm_size.empty()) not_on_windows("--shm-size", "Windows containers have no /dev/shm");
    if (!flags.cgroup_parent.empty()) {
        not_on_windows("--cgroup-parent", "every container gets a control group of its own");
    }
}

std::uint32_t parse_processors(const std::string& text) {
    std::uint32_t count = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    bool whole = error == std::errc() && end == text.data() + text.size();
    if (!whole || count == 0 || count > kMostProcessors) {
        throw fail(ErrorCode::Invalid, "invalid --cpus \"{}\": expected a number of processors", text);
    }
    return count;
}

std::chrono::seconds parse_time_limit(const std::string& text) {
    std::chrono::seconds limit = parse_duration(text);
    if (limit > worker::kLongestTimeLimit) {
        throw fail(ErrorCode::Invalid, "invalid --step-timeout \"{}\": a week (168h) is the most", text);
    }
    return limit;
}

}  // namespace

void add_run_options(CLI::App& command, RunFlags& flags) {
    auto list = [&](const char* names, std::vector<std::string>& values, const char* help) {
        command.add_option(names, values, help)->take_all()->allow_extra_args(false);
    };
    command.add_option("--network", flags.network, "Network of RUN steps")
        ->check(CLI::IsMember({"default", "none", "host"}));
    add_network_options(command, flags.networking);
    list("--secret", flags.secrets,
         "id=NAME[,src=FILE|,env=VARIABLE]: what RUN --mount=type=secret,id=NAME shows");
    list("--ssh", flags.ssh,
         "default|ID[=SOCKET|=KEYFILE,...]: agent for RUN --mount=type=ssh, \"default\" for git over ssh too "
         "(without a value: that of SSH_AUTH_SOCK)");
    list("--allow", flags.allow, "Allow what a build may not do by itself: network.host");
    list("--add-host", flags.add_hosts, "HOST:IP line in the hosts file of RUN steps");
    list("--ulimit", flags.ulimits, "Not supported for Windows containers");
    command.add_option("--shm-size", flags.shm_size, "Not supported for Windows containers");
    command.add_option("--cgroup-parent", flags.cgroup_parent, "Not supported for Windows containers");
    add_isolation_option(command, flags.isolation);
    command.add_option("--memory", flags.memory, "Memory limit of a RUN step (512m, 2g)");
    command.add_option("--cpus", flags.cpus, "How many processors a RUN step may use");
    command.add_option("--step-timeout", flags.step_timeout,
                       "Time limit of a RUN step (90s, 5m; default 1h)");
    command.add_flag("--allow-registry-loss", flags.allow_registry_loss,
                     "Let a RUN pass whose registry changes cannot be kept");
}

void apply_run_options(const RunFlags& flags, BuildRequest& request) {
    refuse_unix_limits(flags);
    for (const std::string& entitlement : flags.allow) allow(entitlement, request);
    if (flags.network == "none") request.frontend.network = frontend::NetworkMode::None;
    if (flags.network == "host") {
        // Whoever asks for it on the command line allows it.
        request.frontend.network = frontend::NetworkMode::Host;
        request.worker.allow_host_network = true;
    }
    request.worker.network.mode = flags.network == "none" ? hcs::NetworkMode::None : hcs::NetworkMode::Nat;
    apply_network_options(flags.networking, request.worker.network);
    for (const std::string& host : flags.add_hosts) request.frontend.add_hosts.push_back(parse_host(host));
    for (const std::string& secret : flags.secrets) {
        auto [id, value] = read_secret(secret);
        request.worker.secrets.insert_or_assign(std::move(id), std::move(value));
    }
    for (const std::string& option : flags.ssh) {
        auto [agent, added] = request.worker.ssh_agents.insert(read_ssh_option(option));
        if (!added)
            throw fail(ErrorCode::Invalid, "--ssh {}: there is an agent {} already", option, agent->first);
    }
    if (!flags.memory.empty()) request.worker.limits.memory_mb = parse_memory_mb(flags.memory);
    if (!flags.cpus.empty()) request.worker.limits.processors = parse_processors(flags.cpus);
    request.worker.limits.time_limit =
        flags.step_timeout.empty() ? kDefaultStepTimeout : parse_time_limit(flags.step_timeout);
    request.worker.allow_registry_loss = flags.allow_registry_loss;
    request.worker.isolation = oci::parse_isolation(flags.isolation);
    // Whatever the images are: can this host do it at all?
    if (request.worker.isolation == oci::Isolation::HyperV) {
        worker::container_isolation(oci::Isolation::HyperV, "", request.worker.host);
    }
}

}  // namespace mullion::cli
