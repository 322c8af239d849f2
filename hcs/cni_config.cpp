#include "hcs/cni_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "base/error.hpp"
#include "base/json.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using base::JsonView;

constexpr std::array kVersions = {"0.2.0", "0.3.0", "0.4.0", "1.0.0"};
constexpr const char* kWhat = "CNI configuration";

[[noreturn]] void unsupported(const JsonView& view, std::string_view name) {
    throw base::fail(ErrorCode::Unsupported, "{}.{}: not supported", view.path(), name);
}

void check_version(const JsonView& view) {
    std::string version = view.at("cniVersion").string();
    if (std::find(kVersions.begin(), kVersions.end(), version) == kVersions.end()) {
        throw base::fail(ErrorCode::Unsupported,
                         "{}.cniVersion: version {} is not supported, 0.2.0 to 1.0.0 are", view.path(),
                         version);
    }
}

std::string type_of(const JsonView& plugin) {
    std::string type = plugin.at("type").string();
    if (type == "nat" || type == "nat.exe") return "NAT";
    if (type == "sdnbridge" || type == "sdnbridge.exe") return "L2Bridge";
    throw base::fail(ErrorCode::Unsupported, "{}.type: plugin {} is not supported, nat and sdnbridge are",
                     plugin.path(), type);
}

bool capability(const JsonView& plugin, const std::string& name) {
    std::optional<JsonView> capabilities = plugin.find("capabilities");
    std::optional<JsonView> value = capabilities ? capabilities->find(name) : std::nullopt;
    return value && value->boolean();
}

// "172.29.64.0/20" -> "172.29.64.1", which is what the plugins take for the gateway where no route names one.
std::string first_address(const JsonView& subnet) {
    std::string text = subnet.string();
    std::array<unsigned, 4> octets{};
    unsigned length = 0;
    const char* at = text.data();
    const char* end = text.data() + text.size();
    for (std::size_t i = 0; i < 4; ++i) {
        auto [next, error] = std::from_chars(at, end, octets[i]);
        if (error != std::errc() || octets[i] > 255 || next == end || *next != (i < 3 ? '.' : '/')) {
            subnet.fail("an IPv4 subnet (172.29.64.0/20)");
        }
        at = next + 1;
    }
    auto [next, error] = std::from_chars(at, end, length);
    if (error != std::errc() || next != end || length < 8 || length > 30) {
        subnet.fail("an IPv4 subnet (172.29.64.0/20)");
    }
    if (octets[3] == 255) subnet.fail("the address of a subnet");
    return fmt::format("{}.{}.{}.{}", octets[0], octets[1], octets[2], octets[3] + 1);
}

// The documentation says "gateway", the plugins read "gw".
HostSubnet read_subnet(const JsonView& ipam) {
    HostSubnet subnet{ipam.at("subnet").string(), first_address(ipam.at("subnet"))};
    if (std::optional<JsonView> routes = ipam.find("routes")) {
        for (const JsonView& route : routes->array()) {
            for (const char* name : {"gateway", "gw"}) {
                subnet.gateway = route.string_or(name, subnet.gateway);
            }
        }
    }
    return subnet;
}

void read_ipam(const JsonView& plugin, HostNetwork& network) {
    std::optional<JsonView> ipam = plugin.find("ipam");
    if (!ipam) return;
    if (ipam->find("type")) unsupported(*ipam, "type");
    if (ipam->find("subnet")) network.subnets = {read_subnet(*ipam)};
}

void read_dns(const JsonView& plugin, HostDns& dns) {
    std::optional<JsonView> view = plugin.find("dns");
    if (!view) return;
    dns.servers = view->strings_or_empty("nameservers");
    dns.domain = view->string_or("domain", "");
    dns.search = view->strings_or_empty("search");
}

CniConfig read_plugin(const JsonView& plugin, const std::string& name) {
    for (const char* member : {"AdditionalArgs", "optionalFlags", "policies", "args"}) {
        if (std::optional<JsonView> given = plugin.find(member); given && !given->raw().empty()) {
            unsupported(plugin, member);
        }
    }
    CniConfig config;
    config.network.name = name;
    config.network.type = type_of(plugin);
    read_ipam(plugin, config.network);
    read_dns(plugin, config.network.dns);
    config.port_mappings = capability(plugin, "portMappings");
    config.dns = capability(plugin, "dns");
    return config;
}

}  // namespace

CniConfig parse_cni_config(std::string_view json) {
    base::Json document = base::parse_json(json, kWhat);
    JsonView view(document, kWhat);
    check_version(view);
    std::string name = view.at("name").string();
    if (name.empty()) view.at("name").fail("a name");
    std::optional<JsonView> plugins = view.find("plugins");
    if (!plugins) return read_plugin(view, name);
    std::vector<JsonView> list = plugins->array();
    if (list.size() != 1) {
        throw base::fail(ErrorCode::Unsupported, "{}.plugins: one plugin is supported, not {}", view.path(),
                         list.size());
    }
    return read_plugin(list[0], name);
}

}  // namespace mullion::hcs
