// A network for one container, by the Host Compute Network service directly (hcs.md §6.1).
//
//     auto networks = std::make_shared<NativeNetworks>();   // sweeps what killed processes left
//     ContainerNetwork network(networks, {.mode = NetworkMode::Nat, .ports = {{6, 80, 8080, ""}}});
//     document.Container.Networking = Networking{network.namespace_id(), true, ""};
//     ... the system is created, runs and is gone ...
//                                                           // network goes: detached, namespace, endpoint
//
// An endpoint's name tells whose it is ("mullion-PID-BIRTH-NUMBER"), and its namespace has the endpoint's id
// but for the last bit, so that both are found when their process is gone. Networks stay: the host's own, and
// the one made where there is none.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hcs/compute_system.hpp"
#include "hcs/native_api.hpp"
#include "hcs/network_schema.hpp"

namespace mullion::hcs {

// Throws Invalid for one that is neither 0 nor possible.
void check_mtu(std::uint16_t mtu);

// The networks of this host. Thread-safe.
class NativeNetworks {
  public:
    // Throws Unsupported on a Windows without HCN.
    NativeNetworks();

    const ComputeNetwork& api() const { return *api_; }
    // The network of that name, for "" a NAT network: "nat", else any, else a new one. If there is none of
    // the name it is made of `definition`; NotFound without one, or if that is of no NAT network.
    HostNetwork find(const std::string& name, const std::optional<HostNetwork>& definition = {});
    // The one that find("") returns; nullopt where it would make one.
    std::optional<HostNetwork> nat();
    // Removes the endpoints and namespaces of processes that are gone.
    void sweep();

  private:
    std::vector<HostNetwork> networks_of(const std::string& query);
    std::optional<HostNetwork> look_at(const std::string& id);
    HostNetwork nat_or_new();
    HostNetwork make(const HostNetwork& network);
    void sweep(const std::string& endpoint_id);

    std::shared_ptr<const ComputeNetwork> api_;
};

class ContainerNetwork {
  public:
    // The mode of `spec` is Nat.
    ContainerNetwork(std::shared_ptr<NativeNetworks> networks, const NetworkSpec& spec);
    // Quiet about what is gone already; other failures are logged, the next sweep tries again.
    ~ContainerNetwork();
    ContainerNetwork(const ContainerNetwork&) = delete;
    ContainerNetwork& operator=(const ContainerNetwork&) = delete;

    const std::string& namespace_id() const { return namespace_; }
    const std::string& endpoint_id() const { return endpoint_; }
    // The endpoint's document, as the service has it.
    std::string endpoint_properties() const;

  private:
    void make_endpoint(const HostNetwork& network, const NetworkSpec& spec);
    void make_namespace();

    std::shared_ptr<NativeNetworks> networks_;
    std::string endpoint_;  // ids
    std::string namespace_;
};

}  // namespace mullion::hcs
