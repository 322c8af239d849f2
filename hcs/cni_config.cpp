#include "hcs/cni_config.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/ascii.hpp"
#include "base/error.hpp"
#include "base/json.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using base::JsonView;

constexpr std::array kVersions = {"0.2.0", "0.3.0", "0.4.0", "1.0.0"};
constexpr const char* kWhat = "CNI configuration";
constexpr const char* kAnywhere = "0.0.0.0/0";

[[noreturn]] void unsupported(const JsonView& view) {
    throw base::fail(ErrorCode::Unsupported, "{}: not supported", view.path());
}

// Of a text.
[[noreturn]] void invalid(const JsonView& view, std::string_view expected) {
    throw base::fail(ErrorCode::Invalid, "{}: expected {}, found \"{}\"", view.path(), expected,
                     view.string());
}

// Of an object, by names in lower case: the plugins are written in Go, which takes "GW" for "gw".
using Members = std::map<std::string, JsonView>;

Members members_of(const JsonView& object) {
    Members members;
    for (const auto& [name, value] : object.members()) {
        if (!value.raw().is_null()) members.emplace(base::lower_ascii(name), value);
    }
    return members;
}

bool says_something(const JsonView& value) {
    return value.raw().is_string() ? !value.string().empty() : !value.raw().empty();
}

// Throws Unsupported for a member with something in it that is not among `known`.
Members members_of(const JsonView& object, std::initializer_list<std::string_view> known) {
    Members members = members_of(object);
    for (const auto& [name, value] : members) {
        bool is_known = std::find(known.begin(), known.end(), name) != known.end();
        if (!is_known && says_something(value)) unsupported(value);
    }
    return members;
}

std::optional<JsonView> find(const Members& members, const std::string& name) {
    auto found = members.find(name);
    return found == members.end() ? std::nullopt : std::optional(found->second);
}

std::string string_or(const Members& members, const std::string& name, const std::string& fallback) {
    std::optional<JsonView> value = find(members, name);
    return value ? value->string() : fallback;
}

std::vector<std::string> strings(const Members& members, const std::string& name) {
    std::optional<JsonView> value = find(members, name);
    return value ? value->strings() : std::vector<std::string>{};
}

void check_version(const JsonView& version) {
    if (std::find(kVersions.begin(), kVersions.end(), version.string()) == kVersions.end()) {
        throw base::fail(ErrorCode::Unsupported, "{}: version {} is not supported, {} are", version.path(),
                         version.string(), fmt::join(kVersions, ", "));
    }
}

std::string network_type(const JsonView& plugin) {
    std::string type = plugin.string();
    if (type == "nat" || type == "nat.exe") return "NAT";
    if (type == "sdnbridge" || type == "sdnbridge.exe") return "L2Bridge";
    throw base::fail(ErrorCode::Unsupported, "{}: plugin {} is not supported, nat and sdnbridge are",
                     plugin.path(), type);
}

// Capabilities are for whoever runs plugins, and to him their case counts.
bool capability(const Members& plugin, const std::string& name) {
    std::optional<JsonView> capabilities = find(plugin, "capabilities");
    std::optional<JsonView> value = capabilities ? capabilities->find(name) : std::nullopt;
    return value && value->boolean();
}

// "172.29.64.1" as a number.
std::optional<std::uint32_t> parse_address(std::string_view text) {
    std::uint32_t address = 0;
    const char* at = text.data();
    const char* end = text.data() + text.size();
    for (int i = 0; i < 4; ++i) {
        std::uint32_t octet = 0;
        auto [next, error] = std::from_chars(at, end, octet);
        bool ends_right = i < 3 ? next != end && *next == '.' : next == end;
        if (error != std::errc() || octet > 255 || !ends_right) return std::nullopt;
        address = address << 8 | octet;
        at = next + (i < 3);
    }
    return address;
}

std::string text_of(std::uint32_t address) {
    return fmt::format("{}.{}.{}.{}", address >> 24, address >> 16 & 255, address >> 8 & 255, address & 255);
}

// Of "172.29.64.0/20" the address.
std::uint32_t subnet_address(const JsonView& subnet) {
    std::string text = subnet.string();
    std::size_t slash = std::min(text.find('/'), text.size());
    std::optional<std::uint32_t> address = parse_address(std::string_view(text).substr(0, slash));
    unsigned length = 0;
    const char* end = text.data() + text.size();
    auto [next, error] = std::from_chars(text.data() + slash + (slash < text.size()), end, length);
    if (!address || error != std::errc() || next != end || length < 8 || length > 30) {
        invalid(subnet, "an IPv4 subnet (172.29.64.0/20)");
    }
    if ((*address << length) != 0) invalid(subnet, "the address of a subnet, not one in it");
    return *address;
}

// Of the way out. The documentation calls it "gateway", the plugins read "gw"; a route without a destination
// leads everywhere.
std::string gateway_of(const JsonView& route, const std::string& fallback) {
    Members members = members_of(route, {"dst", "gw", "gateway"});
    std::optional<JsonView> destination = find(members, "dst");
    if (destination && destination->string() != kAnywhere) unsupported(*destination);
    for (const char* name : {"gw", "gateway"}) {
        std::optional<JsonView> gateway = find(members, name);
        if (!gateway) continue;
        if (!parse_address(gateway->string())) invalid(*gateway, "an IPv4 address");
        return gateway->string();
    }
    return fallback;
}

// Where no route names a gateway, the plugins take the first address.
HostSubnet read_subnet(const JsonView& subnet, const std::optional<JsonView>& routes) {
    HostSubnet read{subnet.string(), text_of(subnet_address(subnet) + 1)};
    std::vector<JsonView> list = routes ? routes->array() : std::vector<JsonView>();
    if (list.size() > 1) unsupported(list[1]);
    if (!list.empty()) read.gateway = gateway_of(list[0], read.gateway);
    return read;
}

void read_ipam(const Members& plugin, HostNetwork& network) {
    std::optional<JsonView> view = find(plugin, "ipam");
    if (!view) return;
    Members ipam = members_of(*view, {"subnet", "routes"});
    std::optional<JsonView> routes = find(ipam, "routes");
    if (std::optional<JsonView> subnet = find(ipam, "subnet")) {
        network.subnets = {read_subnet(*subnet, routes)};
    } else if (routes && says_something(*routes)) {
        unsupported(*routes);
    }
}

HostDns read_dns(const Members& plugin) {
    std::optional<JsonView> view = find(plugin, "dns");
    if (!view) return {};
    Members dns = members_of(*view, {"nameservers", "domain", "search"});
    return {string_or(dns, "domain", ""), strings(dns, "search"), strings(dns, "nameservers")};
}

JsonView required(const JsonView& object, const Members& members, const std::string& name) {
    std::optional<JsonView> value = find(members, base::lower_ascii(name));
    return value ? *value : object.at(name);  // which says that it is missing
}

// "master" names the adapter of networks that we do not make.
CniConfig read_plugin(const JsonView& view, const std::string& name) {
    Members plugin =
        members_of(view, {"cniversion", "name", "type", "master", "ipam", "dns", "capabilities"});
    CniConfig config;
    config.network.name = name;
    config.network.type = network_type(required(view, plugin, "type"));
    read_ipam(plugin, config.network);
    config.network.dns = read_dns(plugin);
    config.port_mappings = capability(plugin, "portMappings");
    config.dns = capability(plugin, "dns");
    return config;
}

}  // namespace

CniConfig parse_cni_config(std::string_view json) {
    base::Json document = base::parse_json(json, kWhat);
    JsonView view(document, kWhat);
    Members members = members_of(view);
    check_version(required(view, members, "cniVersion"));
    JsonView name_view = required(view, members, "name");
    std::string name = name_view.string();
    if (name.empty()) invalid(name_view, "a name");
    std::optional<JsonView> plugins = find(members, "plugins");
    if (!plugins) return read_plugin(view, name);
    // What else a list has is for whoever runs plugins.
    std::vector<JsonView> list = plugins->array();
    if (list.size() != 1) {
        throw base::fail(ErrorCode::Unsupported, "{}: one plugin is supported, not {}", plugins->path(),
                         list.size());
    }
    return read_plugin(list[0], name);
}

}  // namespace mullion::hcs
