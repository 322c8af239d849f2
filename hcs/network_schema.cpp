#include "hcs/network_schema.hpp"

#include <algorithm>

#include "base/json.hpp"

namespace mullion::hcs {
namespace {

using base::JsonView;
using Json = base::OrderedJson;

constexpr const char* kAnywhere = "0.0.0.0/0";

std::string dump(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json version() {
    return {{"Major", 2}, {"Minor", 0}};
}

void put(Json& object, const char* name, const std::string& text) {
    if (!text.empty()) object[name] = text;
}

void put(Json& object, const char* name, const std::vector<std::string>& texts) {
    if (!texts.empty()) object[name] = texts;
}

void put_dns(Json& object, const HostDns& dns) {
    Json json = Json::object();
    put(json, "Domain", dns.domain);
    put(json, "Search", dns.search);
    put(json, "ServerList", dns.servers);
    if (!json.empty()) object["Dns"] = std::move(json);
}

Json write_subnet(const HostSubnet& subnet) {
    Json json = {{"IpAddressPrefix", subnet.prefix}};
    if (!subnet.gateway.empty()) {
        json["Routes"] = Json::array({Json{{"NextHop", subnet.gateway}, {"DestinationPrefix", kAnywhere}}});
    }
    return json;
}

Json policy(const char* type, Json settings) {
    return {{"Type", type}, {"Settings", std::move(settings)}};
}

Json write_policies(const HostEndpoint& endpoint) {
    Json policies = Json::array();
    for (const PortMapping& port : endpoint.ports) {
        Json settings = {{"Protocol", port.protocol},
                         {"InternalPort", port.container_port},
                         {"ExternalPort", port.host_port}};
        put(settings, "VIP", port.host_address);
        policies.push_back(policy("PortMapping", std::move(settings)));
    }
    if (endpoint.encapsulation_overhead != 0) {
        policies.push_back(policy("EncapOverhead", {{"Overhead", endpoint.encapsulation_overhead}}));
    }
    return policies;
}

template <typename Read>
auto parse(std::string_view json, const char* what, Read read) {
    base::Json document = base::parse_json(json, what);
    return read(JsonView(document, what));
}

template <typename Visit>
void each(const JsonView& object, const char* name, Visit visit) {
    if (std::optional<JsonView> list = object.find(name)) {
        for (const JsonView& item : list->array()) visit(item);
    }
}

HostDns read_dns(const JsonView& object) {
    std::optional<JsonView> dns = object.find("Dns");
    if (!dns) return {};
    return {dns->string_or("Domain", ""), dns->strings_or_empty("Search"),
            dns->strings_or_empty("ServerList")};
}

HostSubnet read_subnet(const JsonView& view) {
    HostSubnet subnet{view.string_or("IpAddressPrefix", ""), ""};
    each(view, "Routes", [&](const JsonView& route) {
        if (route.string_or("DestinationPrefix", "") == kAnywhere) {
            subnet.gateway = route.string_or("NextHop", "");
        }
    });
    return subnet;
}

std::string endpoint_request(const char* type, const std::string& endpoint_id) {
    return dump(Json{
        {"ResourceType", "Endpoint"}, {"RequestType", type}, {"Settings", {{"EndpointId", endpoint_id}}}});
}

}  // namespace

std::string to_json(const HostNetwork& network) {
    Json json = Json::object();
    put(json, "ID", network.id);
    put(json, "Name", network.name);
    put(json, "Type", network.type);
    json["SchemaVersion"] = version();
    if (!network.subnets.empty()) {
        Json subnets = Json::array();
        for (const HostSubnet& subnet : network.subnets) subnets.push_back(write_subnet(subnet));
        json["Ipams"] = Json::array({Json{{"Type", "Static"}, {"Subnets", std::move(subnets)}}});
    }
    put_dns(json, network.dns);
    return dump(json);
}

std::string to_json(const HostEndpoint& endpoint) {
    Json json = Json::object();
    put(json, "ID", endpoint.id);
    put(json, "Name", endpoint.name);
    put(json, "HostComputeNetwork", endpoint.network);
    json["SchemaVersion"] = version();
    put_dns(json, endpoint.dns);
    if (Json policies = write_policies(endpoint); !policies.empty()) json["Policies"] = std::move(policies);
    return dump(json);
}

HostNetwork parse_host_network(std::string_view json) {
    return parse(json, "network", [](const JsonView& view) {
        HostNetwork network{view.string_or("ID", ""),
                            view.string_or("Name", ""),
                            // The service leaves out what has the number 0.
                            view.string_or("Type", "NAT"),
                            {},
                            read_dns(view)};
        each(view, "Ipams", [&](const JsonView& ipam) {
            each(ipam, "Subnets",
                 [&](const JsonView& subnet) { network.subnets.push_back(read_subnet(subnet)); });
        });
        return network;
    });
}

HostEndpoint parse_host_endpoint(std::string_view json) {
    return parse(json, "endpoint", [](const JsonView& view) {
        HostEndpoint endpoint;
        endpoint.id = view.string_or("ID", "");
        endpoint.name = view.string_or("Name", "");
        endpoint.mac_address = view.string_or("MacAddress", "");
        endpoint.network = view.string_or("HostComputeNetwork", "");
        endpoint.dns = read_dns(view);
        each(view, "IpConfigurations", [&](const JsonView& address) {
            std::uint64_t length = 32;
            if (std::optional<JsonView> prefix = address.find("PrefixLength")) length = prefix->size();
            endpoint.addresses.push_back(address.string_or("IpAddress", "") + "/" + std::to_string(length));
        });
        return endpoint;
    });
}

std::string guest_namespace_document() {
    return dump(Json{{"Type", "Guest"}, {"SchemaVersion", version()}});
}

std::string attach_request(const std::string& endpoint_id) {
    return endpoint_request("Add", endpoint_id);
}

std::string detach_request(const std::string& endpoint_id) {
    return endpoint_request("Remove", endpoint_id);
}

std::string network_query() {
    return dump(Json{{"SchemaVersion", version()}});
}

// The filter is JSON in a string.
std::string network_query(const std::string& name) {
    return dump(Json{{"SchemaVersion", version()}, {"Filter", dump(Json{{"Name", name}})}});
}

std::vector<std::string> parse_ids(std::string_view json) {
    if (json.empty()) return {};
    return parse(json, "list of ids", [](const JsonView& view) {
        std::vector<std::string> ids;
        for (const JsonView& id : view.array()) ids.push_back(id.string());
        return ids;
    });
}

}  // namespace mullion::hcs
