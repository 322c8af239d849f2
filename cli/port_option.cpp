#include "cli/port_option.hpp"

#include <charconv>

#include "base/error.hpp"
#include "cli/ip_address.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::uint32_t kTcp = 6;
constexpr std::uint32_t kUdp = 17;
constexpr std::uint32_t kLargestPort = 65535;
constexpr const char* kEveryAddress = "0.0.0.0";

[[noreturn]] void invalid(const std::string& text) {
    throw fail(ErrorCode::Invalid,
               "invalid --publish \"{}\": expected [HOSTIP:]HOSTPORT:CONTAINERPORT[/tcp|/udp]", text);
}

[[noreturn]] void unsupported(const std::string& text, std::string_view why) {
    throw fail(ErrorCode::Unsupported, "--publish {} is not supported: {}", text, why);
}

struct Range {
    std::uint32_t first;
    std::uint32_t last;
};

// "80" or "8000-8009".
Range parse_range(std::string_view range, const std::string& text) {
    auto number = [&](std::string_view digits) {
        std::uint32_t value = 0;
        auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        bool whole = error == std::errc() && end == digits.data() + digits.size();
        if (!whole || value == 0 || value > kLargestPort) invalid(text);
        return value;
    };
    std::size_t dash = range.find('-');
    Range parsed{number(range.substr(0, dash)), 0};
    parsed.last = dash == range.npos ? parsed.first : number(range.substr(dash + 1));
    if (parsed.last < parsed.first) invalid(text);
    return parsed;
}

std::uint32_t parse_protocol(std::string_view protocol, const std::string& text) {
    if (protocol == "tcp") return kTcp;
    if (protocol == "udp") return kUdp;
    if (protocol == "sctp") unsupported(text, "Windows has TCP and UDP");
    invalid(text);
}

std::string parse_address(std::string address, const std::string& text) {
    if (address == kEveryAddress) return {};
    bool bracketed = address.starts_with('[') && address.ends_with(']');
    if (bracketed) address = address.substr(1, address.size() - 2);
    if (!is_ip_address(address)) invalid(text);
    if (address.find(':') != address.npos) unsupported(text, "ports are published on IPv4 addresses");
    return address;
}

}  // namespace

std::vector<hcs::PortMapping> parse_ports(const std::string& text) {
    std::string rest = text;
    hcs::PortMapping mapping;
    if (std::size_t slash = rest.rfind('/'); slash != rest.npos) {
        mapping.protocol = parse_protocol(rest.substr(slash + 1), text);
        rest.erase(slash);
    }
    std::size_t inner = rest.rfind(':');
    std::size_t outer = inner == rest.npos || inner == 0 ? rest.npos : rest.rfind(':', inner - 1);
    std::string host = inner == rest.npos ? "" : rest.substr(0, inner);
    if (outer != host.npos) {
        mapping.host_address = parse_address(host.substr(0, outer), text);
        host.erase(0, outer + 1);
    }
    Range inside = parse_range(std::string_view(rest).substr(inner + 1), text);
    if (host.empty()) unsupported(text, "name the port of the host, too");
    Range outside = parse_range(host, text);
    if (outside.last - outside.first != inside.last - inside.first) invalid(text);
    std::vector<hcs::PortMapping> ports;
    for (std::uint32_t i = 0; i <= inside.last - inside.first; ++i) {
        mapping.host_port = static_cast<std::uint16_t>(outside.first + i);
        mapping.container_port = static_cast<std::uint16_t>(inside.first + i);
        ports.push_back(mapping);
    }
    return ports;
}

}  // namespace mullion::cli
