// The double of computenetwork.dll: networks, endpoints and namespaces in memory (hcs.md §6.1). Namespaces
// are also files in namespaces/, for the double of computecore.dll.
//
// Every call has a fault of its name; what it answers comes with an error record. The fault "Record" makes
// the next call succeed and leave a record all the same; after "Odd" the next answer about an endpoint is
// none.
#include <windows.h>
// Needs the declarations above.
#include <computenetwork.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include "tests/support/fake_hcs/handles.hpp"
#include "tests/support/fake_hcs/host.hpp"

namespace mullion::fake {
namespace {

constexpr HRESULT kNetworkNotFound = code::of(0x803B0001);
constexpr HRESULT kEndpointNotFound = code::of(0x803B0002);
constexpr HRESULT kNetworkExists = code::of(0x803B0010);
constexpr HRESULT kPortExists = code::of(0x803B0013);
constexpr HRESULT kInvalidHcnJson = code::of(0x803B001B);
constexpr HRESULT kInNamespace = code::of(0x803B002B);
constexpr HRESULT kHasReferences = code::of(0x803B002C);
constexpr HRESULT kNotAttached = code::of(0x803B0034);

const char* const kDns = R"({"Domain": "", "Search": [""], "ServerList": [""]})";

struct Entity {
    std::string id;
    Json document;
    std::set<std::string> endpoints;  // of a namespace
};

using Entities = std::map<std::string, std::shared_ptr<Entity>>;

struct Service {
    std::mutex mutex;
    Entities networks, endpoints, namespaces;
    Handles<void*, Entity> handles;
};

Service& service() {
    static Service instance;
    return instance;
}

std::string text_of(const GUID& id) {
    char text[40];
    std::snprintf(text, sizeof text, "%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", id.Data1, id.Data2,
                  id.Data3, id.Data4[0], id.Data4[1], id.Data4[2], id.Data4[3], id.Data4[4], id.Data4[5],
                  id.Data4[6], id.Data4[7]);
    return text;
}

std::string chosen_id(const GUID& id) {
    static unsigned long last = 0;
    return text_of(id.Data1 != 0 ? id : GUID{++last, 0, 0x4000, {0x80, 0, 0, 0, 0, 0, 0, 0}});
}

// One call: its fault first, then `body`; a refusal becomes an error record.
template <typename Body>
HRESULT answer(const char* call, const std::string& object, const wchar_t* document, PWSTR* record,
               Body body) {
    log(call, object, narrow(document));
    try {
        if (auto failure = fault(call)) throw Refusal{failure->result, "injected"};
        std::lock_guard lock(service().mutex);
        body();
        if (record != nullptr && fault("Record")) *record = give("{\"ErrorCode\":1}");
        return S_OK;
    } catch (const Refusal& refusal) {
        HRESULT result = refusal.result == code::kInvalidJson ? kInvalidHcnJson : refusal.result;
        if (record != nullptr) *record = give(Refusal{result, refusal.message}.document());
        return result;
    }
}

std::shared_ptr<Entity> find(Entities& entities, const std::string& id, HRESULT missing) {
    auto found = entities.find(id);
    if (found == entities.end()) throw Refusal{missing, id};
    return found->second;
}

std::shared_ptr<Entity> entity_of(void* handle) {
    auto entity = service().handles.get(handle);
    if (!entity) throw Refusal{E_HANDLE, "closed"};
    return entity;
}

std::string name_of(const Entity& entity) {
    return entity.document.value("Name", "");
}

// `{"Filter": "{\"Name\":\"nat\"}"}` is all the filters there are.
std::string ids_of(const Entities& entities, const wchar_t* query) {
    static const Json shape =
        Json::parse(R"({"SchemaVersion": {"Major": 0, "Minor": 0}, "Flags": 0, "Filter": ""})");
    Json parsed = parse_strictly(query, shape);
    std::string wanted;
    if (parsed.contains("Filter")) {
        wanted = Json::parse(parsed["Filter"].get<std::string>()).value("Name", "");
    }
    Json ids = Json::array();
    for (const auto& [id, entity] : entities) {
        if (wanted.empty() || name_of(*entity) == wanted) ids.push_back(id);
    }
    return ids.dump();
}

// What every object's properties begin with; what has the number 0 is left out.
std::string properties_of(const Entity& entity) {
    Json json = entity.document;
    json["ID"] = entity.id;
    if (json.value("Type", "") == "NAT") json.erase("Type");
    json["State"] = 1;
    return json.dump();
}

void create_network(const GUID& id, const wchar_t* settings, void** handle) {
    static const Json shape = Json::parse(
        std::string(
            R"({"ID": "", "Name": "", "Type": "", "Flags": 0, "SchemaVersion": {"Major": 0, "Minor": 0},
            "Ipams": [{"Type": "", "Subnets": [{"IpAddressPrefix": "",
                "Routes": [{"NextHop": "", "DestinationPrefix": ""}]}]}], "Dns": )") +
        kDns + "}");
    Json document = parse_strictly(settings, shape);
    for (const auto& [known, network] : service().networks) {
        if (name_of(*network) == document.value("Name", "")) throw Refusal{kNetworkExists, known};
    }
    auto network = std::make_shared<Entity>(Entity{chosen_id(id), std::move(document), {}});
    service().networks.emplace(network->id, network);
    *handle = service().handles.add(network);
}

std::set<std::string> ports_of(const Json& endpoint) {
    std::set<std::string> ports;
    if (!endpoint.contains("Policies")) return ports;
    for (const Json& policy : endpoint["Policies"]) {
        if (policy["Type"] != "PortMapping") continue;
        const Json& settings = policy["Settings"];
        ports.insert(settings["Protocol"].dump() + "/" + settings["ExternalPort"].dump());
    }
    return ports;
}

void create_endpoint(void* network, const GUID& id, const wchar_t* settings, void** handle) {
    static const Json shape = Json::parse(
        std::string(
            R"({"ID": "", "Name": "", "HostComputeNetwork": "", "SchemaVersion": {"Major": 0, "Minor": 0},
            "Policies": [{"Type": "", "Settings": {"Protocol": 0, "InternalPort": 0, "ExternalPort": 0, "VIP": "",
                "Flags": 0, "Overhead": 0}}], "Dns": )") +
        kDns + "}");
    Json document = parse_strictly(settings, shape);
    if (document.value("HostComputeNetwork", "") != entity_of(network)->id) {
        throw Refusal{kNetworkNotFound, "another network"};
    }
    std::set<std::string> ports = ports_of(document);
    for (const auto& [known, endpoint] : service().endpoints) {
        for (const std::string& port : ports_of(endpoint->document)) {
            if (ports.count(port) != 0) throw Refusal{kPortExists, known};
        }
    }
    document["MacAddress"] = "00-15-5D-0A-00-01";
    auto endpoint = std::make_shared<Entity>(Entity{chosen_id(id), std::move(document), {}});
    service().endpoints.emplace(endpoint->id, endpoint);
    *handle = service().handles.add(endpoint);
}

void delete_endpoint(const std::string& id) {
    find(service().endpoints, id, kEndpointNotFound);
    for (const auto& [name, space] : service().namespaces) {
        if (space->endpoints.count(id) != 0) throw Refusal{kHasReferences, name};
    }
    service().endpoints.erase(id);
}

void create_namespace(const GUID& id, const wchar_t* settings, void** handle) {
    static const Json shape = Json::parse(R"({"Type": "", "SchemaVersion": {"Major": 0, "Minor": 0}})");
    auto space = std::make_shared<Entity>(Entity{chosen_id(id), parse_strictly(settings, shape), {}});
    service().namespaces.emplace(space->id, space);
    fs::create_directories(directory() / "namespaces");
    std::ofstream(directory() / "namespaces" / space->id) << "Guest\n";
    *handle = service().handles.add(space);
}

void modify_namespace(void* handle, const wchar_t* settings) {
    static const Json shape =
        Json::parse(R"({"ResourceType": "", "RequestType": "", "Settings": {"EndpointId": ""}})");
    Json request = parse_strictly(settings, shape);
    auto space = entity_of(handle);
    std::string id = request["Settings"]["EndpointId"].get<std::string>();
    if (request["RequestType"] == "Remove") {
        if (space->endpoints.erase(id) == 0) throw Refusal{kNotAttached, id};
        return;
    }
    find(service().endpoints, id, kEndpointNotFound);
    for (const auto& [name, other] : service().namespaces) {
        if (other->endpoints.count(id) != 0) throw Refusal{kInNamespace, name};
    }
    space->endpoints.insert(id);
}

void delete_namespace(const std::string& id) {
    if (!find(service().namespaces, id, code::kNotFound)->endpoints.empty())
        throw Refusal{kHasReferences, id};
    service().namespaces.erase(id);
    fs::remove(directory() / "namespaces" / id);
}

}  // namespace

void loaded() {}

// Networks stay.
std::size_t left_over() {
    return service().handles.size() + service().endpoints.size() + service().namespaces.size();
}

}  // namespace mullion::fake

using namespace mullion::fake;

extern "C" {

std::size_t WINAPI FakeOpenHandles() {
    return service().handles.size();
}

// Forgets everything but open handles, as a host does between tests.
void WINAPI FakeReset() {
    std::lock_guard lock(service().mutex);
    service().networks.clear();
    service().endpoints.clear();
    service().namespaces.clear();
}

// "networks endpoints namespaces": how many there are.
std::size_t WINAPI FakeObjects(const char* kind) {
    std::lock_guard lock(service().mutex);
    std::string_view name = kind;
    if (name == "networks") return service().networks.size();
    return name == "endpoints" ? service().endpoints.size() : service().namespaces.size();
}

HRESULT WINAPI HcnEnumerateNetworks(PCWSTR query, PWSTR* ids, PWSTR* record) {
    return answer("HcnEnumerateNetworks", "", query, record,
                  [&] { *ids = give(ids_of(service().networks, query)); });
}

HRESULT WINAPI HcnCreateNetwork(REFGUID id, PCWSTR settings, PHCN_NETWORK handle, PWSTR* record) {
    return answer("HcnCreateNetwork", text_of(id), settings, record,
                  [&] { create_network(id, settings, handle); });
}

HRESULT WINAPI HcnOpenNetwork(REFGUID id, PHCN_NETWORK handle, PWSTR* record) {
    return answer("HcnOpenNetwork", text_of(id), nullptr, record, [&] {
        *handle = service().handles.add(find(service().networks, text_of(id), kNetworkNotFound));
    });
}

HRESULT WINAPI HcnQueryNetworkProperties(HCN_NETWORK handle, PCWSTR, PWSTR* properties, PWSTR* record) {
    return answer("HcnQueryNetworkProperties", "", nullptr, record,
                  [&] { *properties = give(properties_of(*entity_of(handle))); });
}

HRESULT WINAPI HcnCloseNetwork(HCN_NETWORK handle) {
    return service().handles.remove(handle) ? S_OK : E_HANDLE;
}

HRESULT WINAPI HcnEnumerateEndpoints(PCWSTR query, PWSTR* ids, PWSTR* record) {
    return answer("HcnEnumerateEndpoints", "", query, record,
                  [&] { *ids = give(ids_of(service().endpoints, query)); });
}

HRESULT WINAPI HcnCreateEndpoint(HCN_NETWORK network, REFGUID id, PCWSTR settings, PHCN_ENDPOINT handle,
                                 PWSTR* record) {
    return answer("HcnCreateEndpoint", text_of(id), settings, record,
                  [&] { create_endpoint(network, id, settings, handle); });
}

HRESULT WINAPI HcnOpenEndpoint(REFGUID id, PHCN_ENDPOINT handle, PWSTR* record) {
    return answer("HcnOpenEndpoint", text_of(id), nullptr, record, [&] {
        *handle = service().handles.add(find(service().endpoints, text_of(id), kEndpointNotFound));
    });
}

HRESULT WINAPI HcnQueryEndpointProperties(HCN_ENDPOINT handle, PCWSTR, PWSTR* properties, PWSTR* record) {
    return answer("HcnQueryEndpointProperties", "", nullptr, record,
                  [&] { *properties = give(fault("Odd") ? "[]" : properties_of(*entity_of(handle))); });
}

HRESULT WINAPI HcnDeleteEndpoint(REFGUID id, PWSTR* record) {
    return answer("HcnDeleteEndpoint", text_of(id), nullptr, record, [&] { delete_endpoint(text_of(id)); });
}

HRESULT WINAPI HcnCloseEndpoint(HCN_ENDPOINT handle) {
    return service().handles.remove(handle) ? S_OK : E_HANDLE;
}

HRESULT WINAPI HcnCreateNamespace(REFGUID id, PCWSTR settings, PHCN_NAMESPACE handle, PWSTR* record) {
    return answer("HcnCreateNamespace", text_of(id), settings, record,
                  [&] { create_namespace(id, settings, handle); });
}

HRESULT WINAPI HcnOpenNamespace(REFGUID id, PHCN_NAMESPACE handle, PWSTR* record) {
    return answer("HcnOpenNamespace", text_of(id), nullptr, record, [&] {
        *handle = service().handles.add(find(service().namespaces, text_of(id), code::kNotFound));
    });
}

HRESULT WINAPI HcnModifyNamespace(HCN_NAMESPACE handle, PCWSTR settings, PWSTR* record) {
    return answer("HcnModifyNamespace", "", settings, record, [&] { modify_namespace(handle, settings); });
}

HRESULT WINAPI HcnDeleteNamespace(REFGUID id, PWSTR* record) {
    return answer("HcnDeleteNamespace", text_of(id), nullptr, record, [&] { delete_namespace(text_of(id)); });
}

HRESULT WINAPI HcnCloseNamespace(HCN_NAMESPACE handle) {
    return service().handles.remove(handle) ? S_OK : E_HANDLE;
}

}  // extern "C"
