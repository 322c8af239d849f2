#include "hcs/native_network.hpp"

#include <bcrypt.h>
#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "base/log.hpp"
#include "hcs/native_owner.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;

constexpr std::string_view kOwn = "mullion-";  // what the names of our endpoints begin with
constexpr const char* kNatName = "nat";
constexpr const char* kNatType = "NAT";
// Private addresses seldom in use elsewhere, with room for some thousand containers.
constexpr const char* kNatSubnet = "172.29.64.0/20";
constexpr const char* kNatGateway = "172.29.64.1";
// Calls that others' use of the service makes fail for a moment.
constexpr int kTries = 5;
constexpr auto kPause = std::chrono::milliseconds(100);

// RFC 9562 §5.4, with an even last byte: the odd neighbour is the namespace.
std::string new_endpoint_id() {
    GUID guid;
    if (::BCryptGenRandom(nullptr, reinterpret_cast<PUCHAR>(&guid), sizeof guid,
                          BCRYPT_USE_SYSTEM_PREFERRED_RNG) != 0) {
        throw base::fail(ErrorCode::Internal, "no random numbers");
    }
    guid.Data3 = static_cast<decltype(guid.Data3)>((guid.Data3 & 0x0fff) | 0x4000);
    guid.Data4[0] = static_cast<unsigned char>((guid.Data4[0] & 0x3f) | 0x80);
    guid.Data4[7] &= 0xfe;
    return to_text(guid);
}

std::string namespace_of(const std::string& endpoint_id) {
    GUID guid = to_guid(endpoint_id);
    guid.Data4[7] ^= 1;
    return to_text(guid);
}

std::string new_endpoint_name() {
    static std::atomic<unsigned> number{0};
    return fmt::format("{}{}-{}", kOwn, this_process(), ++number);
}

// Is this the name of an endpoint of ours whose process is gone?
bool is_orphan(std::string_view name) {
    std::size_t end = name.rfind('-');
    if (!name.starts_with(kOwn) || end < kOwn.size()) return false;
    return is_gone(name.substr(kOwn.size(), end - kOwn.size()));
}

// Which failures are worth another try: those that pass, or, of what nobody will do after us, all.
enum class Again { Transient, Always };

// One call of the service. A record of an error counts as one even beside success.
template <typename Call>
void perform(const std::string& what, Call call, Again again = Again::Transient) {
    for (int attempt = 1;; ++attempt) {
        ApiString record;
        Hresult result = hresult(call(record.put()));
        std::string text = record.text();
        if (!result.failed() && text.empty()) return;
        if (!result.failed()) result = hresult(E_UNEXPECTED);
        HcsHandling handling = result.handling();
        bool passes = handling == HcsHandling::Transient ||
                      (again == Again::Always && handling != HcsHandling::AlreadyGone);
        if (!passes || attempt == kTries) throw hcs_failure(result, "cannot " + what, text);
        std::this_thread::sleep_for(kPause);
    }
}

bool tells_absence(const base::Error& error) {
    std::optional<Hresult> result = hresult_of(error);
    return result && result->handling() == HcsHandling::AlreadyGone;
}

// For what is to be gone. False if it is not, which is logged.
template <typename Call>
bool perform_if_there(const std::string& what, Call call) {
    try {
        perform(what, call, Again::Always);
    } catch (const base::Error& error) {
        if (tells_absence(error)) return true;
        base::log("hcs").warn("{}", error.what());
        return false;
    }
    return true;
}

HRESULT query_endpoint(const ComputeNetwork& api, const std::string& id, ApiString& properties,
                       PWSTR* record) {
    HCN_ENDPOINT handle = nullptr;
    HRESULT result = api.HcnOpenEndpoint(to_guid(id), &handle, record);
    if (hresult(result).failed()) return result;
    UniqueEndpoint owned(handle, api.HcnCloseEndpoint);
    return api.HcnQueryEndpointProperties(handle, base::to_wide(network_query()).c_str(), properties.put(),
                                          record);
}

// What is empty is as the network has it.
HostDns completed(HostDns dns, const HostDns& network) {
    if (dns.domain.empty()) dns.domain = network.domain;
    if (dns.search.empty()) dns.search = network.search;
    if (dns.servers.empty()) dns.servers = network.servers;
    return dns;
}

void detach(const ComputeNetwork& api, const std::string& endpoint, const std::string& in_namespace) {
    perform_if_there("detach endpoint " + endpoint, [&](PWSTR* record) {
        HCN_NAMESPACE handle = nullptr;
        HRESULT result = api.HcnOpenNamespace(to_guid(in_namespace), &handle, record);
        if (hresult(result).failed()) return result;
        UniqueNamespace owned(handle, api.HcnCloseNamespace);
        return api.HcnModifyNamespace(handle, base::to_wide(detach_request(endpoint)).c_str(), record);
    });
}

// The endpoint goes last, and stays while its namespace does: it is what a sweep finds both by.
void remove(const ComputeNetwork& api, const std::string& endpoint) {
    std::string in_namespace = namespace_of(endpoint);
    detach(api, endpoint, in_namespace);
    bool gone = perform_if_there("delete namespace " + in_namespace, [&](PWSTR* record) {
        return api.HcnDeleteNamespace(to_guid(in_namespace), record);
    });
    if (!gone) return;
    perform_if_there("delete endpoint " + endpoint,
                     [&](PWSTR* record) { return api.HcnDeleteEndpoint(to_guid(endpoint), record); });
}

}  // namespace

NativeNetworks::NativeNetworks() : api_(ComputeNetwork::load()) {}

std::vector<HostNetwork> NativeNetworks::networks_of(const std::string& query) {
    ApiString ids;
    perform("list networks", [&](PWSTR* record) {
        return api_->HcnEnumerateNetworks(base::to_wide(query).c_str(), ids.put(), record);
    });
    std::vector<HostNetwork> networks;
    for (const std::string& id : parse_ids(ids.text())) {
        if (std::optional<HostNetwork> network = look_at(id)) networks.push_back(std::move(*network));
    }
    return networks;
}

// nullopt for a network that went away since it was listed.
std::optional<HostNetwork> NativeNetworks::look_at(const std::string& id) {
    ApiString properties;
    try {
        perform("look at network " + id, [&](PWSTR* record) {
            HCN_NETWORK handle = nullptr;
            HRESULT result = api_->HcnOpenNetwork(to_guid(id), &handle, record);
            if (hresult(result).failed()) return result;
            UniqueNetwork owned(handle, api_->HcnCloseNetwork);
            return api_->HcnQueryNetworkProperties(handle, base::to_wide(network_query()).c_str(),
                                                   properties.put(), record);
        });
    } catch (const base::Error& error) {
        if (tells_absence(error)) return std::nullopt;
        throw;
    }
    HostNetwork network = parse_host_network(properties.text());
    network.id = id;
    return network;
}

std::optional<HostNetwork> NativeNetworks::nat() {
    std::vector<HostNetwork> named = networks_of(network_query(kNatName));
    if (!named.empty()) return named.front();
    for (const HostNetwork& network : networks_of(network_query())) {
        if (network.type == kNatType) return network;
    }
    return std::nullopt;
}

HostNetwork NativeNetworks::find(const std::string& name, const std::optional<HostNetwork>& definition) {
    if (name.empty()) return nat_or_new();
    std::vector<HostNetwork> named = networks_of(network_query(name));
    if (!named.empty()) return named.front();
    if (definition && definition->type == kNatType) return make(*definition);
    if (definition) {
        throw base::fail(ErrorCode::NotFound, "this host has no network {}, and one of type {} is not made",
                         name, definition->type)
            .hint("only NAT networks are");
    }
    throw base::fail(ErrorCode::NotFound, "this host has no network {}", name)
        .hint("Get-HnsNetwork lists those that it has");
}

// A host has room for one NAT network.
HostNetwork NativeNetworks::nat_or_new() {
    if (std::optional<HostNetwork> network = nat()) return *network;
    HostNetwork own;
    own.name = kNatName;
    own.subnets = {{kNatSubnet, kNatGateway}};
    return make(own);
}

// Two processes may do this at once: whoever is second uses the network of the first.
HostNetwork NativeNetworks::make(const HostNetwork& network) {
    try {
        perform("make the network " + network.name, [&](PWSTR* record) {
            HCN_NETWORK handle = nullptr;
            HRESULT result =
                api_->HcnCreateNetwork(GUID{}, base::to_wide(to_json(network)).c_str(), &handle, record);
            UniqueNetwork owned(handle, api_->HcnCloseNetwork);
            return result;
        });
    } catch (const base::Error& error) {
        std::optional<Hresult> result = hresult_of(error);
        if (!result || !result->is(HcsError::NetworkAlreadyExists)) throw;
    }
    return find(network.name);
}

void NativeNetworks::sweep() {
    ApiString ids;
    perform("list endpoints", [&](PWSTR* record) {
        return api_->HcnEnumerateEndpoints(base::to_wide(network_query()).c_str(), ids.put(), record);
    });
    for (const std::string& id : parse_ids(ids.text())) sweep(id);
}

// An endpoint may go away while it is looked at, and others' may be anything.
void NativeNetworks::sweep(const std::string& id) {
    ApiString properties;
    perform_if_there("look at endpoint " + id,
                     [&](PWSTR* record) { return query_endpoint(*api_, id, properties, record); });
    try {
        std::string text = properties.text();
        if (!text.empty() && is_orphan(parse_host_endpoint(text).name)) remove(*api_, id);
    } catch (const base::Error& error) {
        base::log("hcs").warn("endpoint {}: {}", id, error.what());
    }
}

void check_mtu(std::uint16_t mtu) {
    if (mtu != 0 && (mtu < kLeastMtu || mtu > kLargestMtu)) {
        throw base::fail(ErrorCode::Invalid, "an MTU of {} is not between {} and {}", mtu, kLeastMtu,
                         kLargestMtu);
    }
}

ContainerNetwork::ContainerNetwork(std::shared_ptr<NativeNetworks> networks, const NetworkSpec& spec)
    : networks_(std::move(networks)), endpoint_(new_endpoint_id()), namespace_(namespace_of(endpoint_)) {
    check_mtu(spec.mtu);
    HostNetwork network = networks_->find(spec.name, spec.definition);
    try {
        make_endpoint(network, spec);
        make_namespace();
    } catch (...) {
        remove(networks_->api(), endpoint_);
        throw;
    }
}

ContainerNetwork::~ContainerNetwork() {
    remove(networks_->api(), endpoint_);
}

std::string ContainerNetwork::endpoint_properties() const {
    ApiString properties;
    perform("look at endpoint " + endpoint_,
            [&](PWSTR* record) { return query_endpoint(networks_->api(), endpoint_, properties, record); });
    return properties.text();
}

void ContainerNetwork::make_endpoint(const HostNetwork& network, const NetworkSpec& spec) {
    const ComputeNetwork& api = networks_->api();
    HostEndpoint endpoint;
    endpoint.name = new_endpoint_name();
    endpoint.network = network.id;
    endpoint.dns = completed(spec.dns, network.dns);
    endpoint.ports = spec.ports;
    // Networks of hosts are Ethernet.
    if (spec.mtu != 0) endpoint.encapsulation_overhead = static_cast<std::uint16_t>(kLargestMtu - spec.mtu);
    perform(fmt::format("make an endpoint in network {}", network.name), [&](PWSTR* record) {
        HCN_NETWORK handle = nullptr;
        HRESULT result = api.HcnOpenNetwork(to_guid(network.id), &handle, record);
        if (hresult(result).failed()) return result;
        UniqueNetwork owned(handle, api.HcnCloseNetwork);
        HCN_ENDPOINT made = nullptr;
        result = api.HcnCreateEndpoint(handle, to_guid(endpoint_), base::to_wide(to_json(endpoint)).c_str(),
                                       &made, record);
        UniqueEndpoint owned_endpoint(made, api.HcnCloseEndpoint);
        return result;
    });
}

void ContainerNetwork::make_namespace() {
    const ComputeNetwork& api = networks_->api();
    UniqueNamespace made(nullptr, api.HcnCloseNamespace);
    perform("make a network namespace", [&](PWSTR* record) {
        HCN_NAMESPACE handle = nullptr;
        HRESULT result = api.HcnCreateNamespace(
            to_guid(namespace_), base::to_wide(guest_namespace_document()).c_str(), &handle, record);
        made.reset(handle);
        return result;
    });
    perform("attach an endpoint", [&](PWSTR* record) {
        return api.HcnModifyNamespace(made.get(), base::to_wide(attach_request(endpoint_)).c_str(), record);
    });
}

}  // namespace mullion::hcs
