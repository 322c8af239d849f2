// The documents of the Host Compute Network service, schema 2.0 (hcs.md §6.1), as far as a container's
// network needs them. Written documents are byte-stable; what the service answers is read leniently, because
// hosts put undocumented members into it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::hcs {

struct HostSubnet {
    std::string prefix;   // "172.29.64.0/20"
    std::string gateway;  // "172.29.64.1"; "" for none
    bool operator==(const HostSubnet&) const = default;
};

struct HostDns {
    std::string domain;
    std::vector<std::string> search;
    std::vector<std::string> servers;
    bool operator==(const HostDns&) const = default;
};

struct HostNetwork {
    std::string id;  // a GUID without braces; "" lets the service choose
    std::string name;
    std::string type = "NAT";  // "L2Bridge", "Overlay", "Transparent", "ICS"...
    std::vector<HostSubnet> subnets;
    HostDns dns;
    bool operator==(const HostNetwork&) const = default;
};

// A port of the host that leads to one of the container.
struct PortMapping {
    std::uint32_t protocol = 6;  // IANA: 6 TCP, 17 UDP
    std::uint16_t container_port = 0;
    std::uint16_t host_port = 0;
    std::string host_address;  // "" for all
    bool operator==(const PortMapping&) const = default;
};

struct HostEndpoint {
    std::string id;
    std::string name;
    std::string network;  // id
    HostDns dns;
    std::vector<PortMapping> ports;
    std::uint16_t encapsulation_overhead = 0;  // bytes by which the MTU is less than the network's
    std::vector<std::string> addresses = {};   // as the service gave them: "172.29.64.18/20"
    std::string mac_address = {};              // the same: "00-15-5D-0A-00-01"
    bool operator==(const HostEndpoint&) const = default;
};

std::string to_json(const HostNetwork& network);
std::string to_json(const HostEndpoint& endpoint);
HostNetwork parse_host_network(std::string_view json);
HostEndpoint parse_host_endpoint(std::string_view json);

// What creates a namespace for containers, attaches an endpoint to it and detaches it.
std::string guest_namespace_document();
std::string attach_request(const std::string& endpoint_id);
std::string detach_request(const std::string& endpoint_id);

// A query for every object, and for those of a name.
std::string network_query();
std::string network_query(const std::string& name);
// The ids in the answer.
std::vector<std::string> parse_ids(std::string_view json);

}  // namespace mullion::hcs
