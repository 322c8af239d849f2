#include "frontend/ports.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

#include "base/error.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

struct Range {
    std::uint16_t first;
    std::uint16_t last;
};

std::optional<std::uint16_t> number(std::string_view text, int base) {
    std::uint16_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, base);
    if (error != std::errc() || stop != end || text.empty()) return std::nullopt;
    return value;
}

std::optional<Range> parse_range(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = number(text.substr(0, dash), 10);
    const auto last = dash == std::string_view::npos ? first : number(text.substr(dash + 1), 10);
    if (!first || !last || *last < *first) return std::nullopt;
    return Range{*first, *last};
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> out;
    for (;;) {
        const auto at = text.find(separator);
        out.push_back(text.substr(0, at));
        if (at == std::string_view::npos) return out;
        text.remove_prefix(at + 1);
    }
}

bool is_ipv4(std::string_view text) {
    const auto parts = split(text, '.');
    return parts.size() == 4 && std::all_of(parts.begin(), parts.end(), [](std::string_view part) {
               const auto value = number(part, 10);
               return value && *value <= 255 && (part.size() == 1 || part[0] != '0');
           });
}

// RFC 4291 §2.2: eight groups, "::" once for a run of zeros, the last two as an IPv4 address.
bool is_ipv6(std::string_view text) {
    std::size_t groups = 0;
    const auto gap = text.find("::");
    if (gap != std::string_view::npos && text.find("::", gap + 1) != std::string_view::npos) return false;
    const auto count = [&](std::string_view half, bool last_half) {
        if (half.empty()) return true;
        const auto parts = split(half, ':');
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (last_half && i + 1 == parts.size() && is_ipv4(parts[i])) {
                groups += 2;
            } else if (parts[i].size() <= 4 && number(parts[i], 16)) {
                ++groups;
            } else {
                return false;
            }
        }
        return true;
    };
    if (gap == std::string_view::npos) return count(text, true) && groups == 8;
    return count(text.substr(0, gap), false) && count(text.substr(gap + 2), true) && groups < 8;
}

void check_address(std::string_view ip) {
    auto bare = ip;
    if (bare.starts_with('[') && bare.ends_with(']')) bare = bare.substr(1, bare.size() - 2);
    if (!is_ipv4(bare) && !is_ipv6(bare))
        throw fail(ErrorCode::Invalid, "invalid IP address: {}", bare).about(bare);
}

}  // namespace

std::vector<std::string> parse_port(std::string_view text) {
    const auto last_colon = text.rfind(':');
    const auto container = last_colon == std::string_view::npos ? text : text.substr(last_colon + 1);
    const auto front = last_colon == std::string_view::npos ? std::string_view() : text.substr(0, last_colon);
    const auto host_colon = front.rfind(':');
    const auto host = host_colon == std::string_view::npos ? front : front.substr(host_colon + 1);
    const auto ip = host_colon == std::string_view::npos ? std::string_view() : front.substr(0, host_colon);

    const auto slash = container.find('/');
    const auto port = container.substr(0, slash);
    const auto protocol = slash == std::string_view::npos ? "" : lower(container.substr(slash + 1));
    if (port.empty())
        throw fail(ErrorCode::Invalid, "invalid port: {}: no port specified", quote(text)).about(text);
    if (!protocol.empty() && protocol != "tcp" && protocol != "udp" && protocol != "sctp")
        throw fail(ErrorCode::Invalid, "invalid proto: {}", protocol).about(text);
    if (!ip.empty()) check_address(ip);
    const auto range = parse_range(port);
    if (!range) throw fail(ErrorCode::Invalid, "invalid containerPort: {}", port).about(text);
    if (!host.empty()) {
        const auto host_range = parse_range(host);
        if (!host_range) throw fail(ErrorCode::Invalid, "invalid hostPort: {}", host).about(text);
        if (range->last != range->first && host_range->last - host_range->first != range->last - range->first)
            throw fail(ErrorCode::Invalid, "invalid ranges specified for container and host Ports: {} and {}",
                       port, host)
                .about(text);
    }
    std::vector<std::string> out;
    for (std::uint32_t i = range->first; i <= range->last; ++i)
        out.push_back(fmt::format("{}/{}", i, protocol.empty() ? "tcp" : protocol));
    return out;
}

}  // namespace mullion::frontend
