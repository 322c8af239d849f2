#include "hcs/emulated_network.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>

#include "base/error.hpp"
#include "base/file.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;

// Containers that share the host's network and its name servers, and the beginning of those with others.
constexpr const char* kHostNetwork = "6d1f3c1e-5a55-4d0c-9f61-0b7a5de1f3a7";
constexpr const char* kOwnResolver = "6d1f3c1e-5a55-4d0c-9f61";
constexpr std::size_t kMostServers = 3;  // resolv.conf(5)
constexpr std::uint32_t kTcp = 6;
constexpr const char* kFirstFreePort = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
constexpr int kUsualFirstFreePort = 1024;

template <typename... Arguments>
[[noreturn]] void refuse(fmt::format_string<Arguments...> why, Arguments&&... arguments) {
    std::string text = fmt::format(why, std::forward<Arguments>(arguments)...);
    throw base::fail(ErrorCode::Unsupported, "{}", text)
        .hint("containers of the emulation share the host's network");
}

// Nobody in a container has the right to take those below.
int first_free_port() {
    std::optional<std::string> text = base::try_read_file(kFirstFreePort, 64);
    return text ? std::atoi(text->c_str()) : kUsualFirstFreePort;
}

std::string describe(const PortMapping& port) {
    return fmt::format("{}:{}/{}", port.host_port, port.container_port,
                       port.protocol == kTcp ? "tcp" : "udp");
}

void check_port(const PortMapping& port) {
    if (int first = first_free_port(); port.container_port < first) {
        refuse("port {}: programs in the emulation cannot listen on ports below {}", describe(port), first);
    }
    if (port.container_port != port.host_port) {
        refuse("port {}: the emulation cannot give a port another number; publish it as {}:{}",
               describe(port), port.container_port, port.container_port);
    }
    if (!port.host_address.empty()) {
        refuse("port {}: the emulation cannot confine a port to {}; its program chooses where it listens",
               describe(port), port.host_address);
    }
}

// Told now rather than by a program that fails to listen.
void check_free(const PortMapping& port) {
    bool tcp = port.protocol == kTcp;
    base::UniqueFd socket(::socket(AF_INET, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
    if (!socket) throw base::system_error(errno, "cannot make a socket");
    int on = 1;
    // Connections that ended a moment ago do not count.
    if (tcp) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port.host_port);
    if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
    if (errno == EADDRINUSE) {
        throw base::fail(ErrorCode::Exists, "port {}: in use on this host", describe(port));
    }
    throw base::system_error(errno, fmt::format("port {}", describe(port)));
}

std::string resolver_of(const HostDns& dns) {
    std::string text;
    for (const std::string& server : dns.servers) text += fmt::format("nameserver {}\n", server);
    return text;
}

std::string new_namespace() {
    static std::atomic<std::uint64_t> number{0};
    return fmt::format("{}-{:012x}", kOwnResolver, ++number);
}

}  // namespace

void EmulatedNetworks::check(const NetworkSpec& spec) const {
    if (spec.mode == NetworkMode::None) return;
    if (!allowed_) {
        throw base::fail(
            ErrorCode::Unsupported,
            "the emulation reaches the network only by sharing the host's, which was not allowed");
    }
    if (spec.definition) refuse("the emulation takes no CNI configuration (network {})", spec.name);
    if (!spec.name.empty()) refuse("the emulation has no network {}", spec.name);
    if (spec.mtu != 0) refuse("the emulation cannot set an MTU");
    if (!spec.dns.domain.empty() || !spec.dns.search.empty()) refuse("the emulation cannot set DNS domains");
    if (spec.dns.servers.size() > kMostServers) {
        refuse("the emulation can ask {} DNS servers, not {}", kMostServers, spec.dns.servers.size());
    }
    for (const PortMapping& port : spec.ports) check_port(port);
}

std::optional<Networking> EmulatedNetworks::make(const NetworkSpec& spec) {
    check(spec);
    if (spec.mode == NetworkMode::None) return std::nullopt;
    for (const PortMapping& port : spec.ports) check_free(port);
    if (spec.dns.servers.empty()) return Networking{kHostNetwork, false, ""};
    Networking networking{new_namespace(), false, ""};
    resolvers_.with([&](auto& map) { map.emplace(networking.Namespace, resolver_of(spec.dns)); });
    return networking;
}

std::string EmulatedNetworks::take_resolver(const std::optional<Networking>& networking) {
    if (!networking || networking->Namespace == kHostNetwork) return {};
    return resolvers_.with([&](auto& map) {
        auto taken = map.extract(networking->Namespace);
        if (!taken) {
            throw base::fail(ErrorCode::Unsupported,
                             "$.Container.Networking.Namespace: the emulation has no such network");
        }
        return std::move(taken.mapped());
    });
}

}  // namespace mullion::hcs
