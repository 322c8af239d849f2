#include "tests/support/fake_hcs/machine.hpp"

#include <mutex>
#include <utility>

namespace mullion::fake {
namespace {

constexpr HRESULT kPathNotFound = code::of(0x80070003);
constexpr HRESULT kInUse = code::of(0x80070020);
constexpr HRESULT kExists = code::of(0x800700B7);

const std::string kShares = "VirtualMachine/Devices/VirtualSmb/Shares";
const std::string kDisks = "VirtualMachine/Devices/Scsi/";
const std::string kAdapters = "VirtualMachine/Devices/NetworkAdapters/";
const std::string kGuestShares = "\\\\?\\VMSMB\\VSMB-{dcc079ae-60ba-4d07-847c-3493609c0870}\\";

const char* const kShare =
    R"({"Name": "", "Path": "", "AllowedFiles": [""], "Options": {"ReadOnly": true, "ShareRead": true,
        "CacheIo": true, "PseudoOplocks": true, "TakeBackupPrivilege": true, "RestrictFileAccess": true,
        "SingleFileMapping": true}})";

struct Grants {
    std::mutex mutex;
    std::set<std::pair<std::string, fs::path>> given;
};

Grants& grants() {
    static Grants instance;
    return instance;
}

[[noreturn]] void invalid(const std::string& message) {
    throw Refusal{code::kInvalidJson, message};
}

std::string text(const Json& object, const char* name) {
    return object.contains(name) ? object[name].get<std::string>() : std::string();
}

bool adds(const Json& request) {
    std::string type = text(request, "RequestType");
    if (type != "Add" && type != "Remove") invalid("$.RequestType: \"" + type + "\"");
    return type == "Add";
}

Json settings_shape(const std::string& path) {
    if (path == kShares) return Json::parse(kShare);
    if (path.rfind(kDisks, 0) == 0) return Json::parse(R"({"Type": "", "Path": ""})");
    if (path.rfind(kAdapters, 0) == 0) return Json::parse(R"({"EndpointId": "", "MacAddress": ""})");
    invalid("$.ResourcePath: " + path);
}

Json guest_settings_shape(const std::string& type) {
    if (type == "MappedVirtualDisk") return Json::parse(R"({"ContainerPath": "", "Lun": 0})");
    if (type == "CombinedLayers") {
        return Json::parse(R"({"ContainerRootPath": "", "Layers": [{"Id": "", "Path": ""}]})");
    }
    if (type == "NetworkNamespace") return Json::parse(R"({"ID": ""})");
    if (type == "Network") return Json::parse(R"({"AdapterId": "", "RequestType": ""})");
    invalid("$.GuestRequest.ResourceType: " + type);
}

// What the layers show, as the guest's filter has it: base first.
void fill(const fs::path& root, const Json& layers, const std::map<std::string, fs::path>& shares) {
    fs::create_directories(root);
    for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
        fs::path files = shares.at(text(*layer, "Path")) / "Files";
        for (const auto& entry : fs::recursive_directory_iterator(files)) {
            fs::path copy = root / entry.path().lexically_relative(files);
            if (entry.is_directory()) {
                fs::create_directories(copy);
            } else {
                ::CopyFileW(entry.path().c_str(), copy.c_str(), FALSE);
            }
        }
    }
}

}  // namespace

FakeMachine::FakeMachine(std::string id, const Json& document) : id_(std::move(id)) {
    const Json& devices = document["Devices"];
    for (const Json& share : devices["VirtualSmb"]["Shares"]) {
        shares_[kGuestShares + text(share, "Name")] = wide(text(share, "Path"));
    }
    for (const auto& [controller, value] : devices["Scsi"].items()) {
        controllers_.insert(controller);
        for (const auto& [lun, disk] : value["Attachments"].items()) {
            disks_[controller + "/" + lun] = {wide(text(disk, "Path")), ""};
        }
    }
}

void FakeMachine::require_access(const fs::path& disk) const {
    if (!fs::is_regular_file(disk)) throw Refusal{kPathNotFound, disk.string()};
    std::lock_guard lock(grants().mutex);
    if (grants().given.count({id_, disk}) == 0) throw Refusal{E_ACCESSDENIED, disk.string()};
}

void FakeMachine::start() const {
    for (const auto& [place, disk] : disks_) require_access(disk.file);
}

void FakeMachine::modify(const Json& request, bool in_use) {
    std::string path = text(request, "ResourcePath");
    if (path == kShares) return change_shares(request);
    if (path.rfind(kDisks, 0) == 0) return change_disks(request);
    if (path.rfind(kAdapters, 0) == 0) return change_adapters(request);
    const Json& guest = request["GuestRequest"];
    const Json& settings = guest["Settings"];
    std::string type = text(guest, "ResourceType");
    if (type == "CombinedLayers") return combine(guest, in_use);
    if (!adds(guest)) invalid("$.GuestRequest.RequestType: nothing of this is removed");
    if (type == "NetworkNamespace") {
        if (!fs::exists(directory() / "namespaces" / text(settings, "ID"))) {
            throw Refusal{code::kNotFound, "no network namespace"};
        }
        networks_.insert(text(settings, "ID"));
    } else if (type == "Network" && text(settings, "RequestType") == "PreAdd") {
        if (networks_.empty()) throw Refusal{code::kInvalidState, "an adapter without a namespace"};
        announced_.insert(text(settings, "AdapterId"));
    } else {
        invalid("$.GuestRequest: of no resource");
    }
}

void FakeMachine::change_shares(const Json& request) {
    const Json& settings = request["Settings"];
    std::string name = kGuestShares + text(settings, "Name");
    if (!adds(request)) {
        if (shares_.erase(name) == 0) throw Refusal{code::kNotFound, name};
        return;
    }
    if (shares_.count(name) != 0) throw Refusal{kExists, name};
    fs::path path = wide(text(settings, "Path"));
    if (!fs::is_directory(path)) throw Refusal{kPathNotFound, path.string()};
    shares_[name] = path;
}

void FakeMachine::change_disks(const Json& request) {
    std::string place = text(request, "ResourcePath").substr(kDisks.size());
    std::size_t middle = place.find("/Attachments/");
    if (middle == place.npos || controllers_.count(place.substr(0, middle)) == 0) {
        invalid("$.ResourcePath: no such controller");
    }
    std::string lun = place.substr(middle + 13);
    std::string key = place.substr(0, middle) + "/" + lun;
    const Json& guest = request["GuestRequest"];
    std::string guest_path = text(guest["Settings"], "ContainerPath");
    if (text(guest, "ResourceType") != "MappedVirtualDisk" ||
        guest["RequestType"] != request["RequestType"] || guest["Settings"]["Lun"].dump() != lun) {
        invalid("$.GuestRequest: of another disk");
    }
    if (!adds(request)) {
        if (combined_.count(guest_path) != 0) throw Refusal{kInUse, "layers are combined on it"};
        if (disks_.erase(key) == 0) throw Refusal{code::kNotFound, key};
        return;
    }
    if (disks_.count(key) != 0) throw Refusal{kExists, "the LUN is in use"};
    if (disk_at(guest_path) != nullptr) throw Refusal{kExists, guest_path};
    fs::path file = wide(text(request["Settings"], "Path"));
    require_access(file);
    disks_[key] = {file, guest_path};
}

void FakeMachine::change_adapters(const Json& request) {
    std::string id = text(request, "ResourcePath").substr(kAdapters.size());
    const Json& settings = request["Settings"];
    if (!adds(request) || text(settings, "EndpointId").empty() || text(settings, "MacAddress").empty()) {
        invalid("$.Settings: no adapter");
    }
    if (announced_.count(id) == 0) throw Refusal{code::kInvalidState, "the adapter was not announced"};
    if (!adapters_.insert(id).second) throw Refusal{kExists, id};
}

const FakeMachine::Disk* FakeMachine::disk_at(const std::string& guest_path) const {
    for (const auto& [place, disk] : disks_) {
        if (!guest_path.empty() && disk.guest_path == guest_path) return &disk;
    }
    return nullptr;
}

void FakeMachine::combine(const Json& guest, bool in_use) {
    const Json& settings = guest["Settings"];
    std::string path = text(settings, "ContainerRootPath");
    if (!adds(guest)) {
        if (in_use) throw Refusal{kInUse, "a container runs on it"};
        if (combined_.erase(path) == 0) throw Refusal{code::kNotFound, path};
        return;
    }
    const Disk* disk = disk_at(path);
    if (disk == nullptr) throw Refusal{kPathNotFound, "no disk at " + path};
    if (combined_.count(path) != 0) throw Refusal{kExists, path};
    for (const Json& layer : settings["Layers"]) {
        if (shares_.count(text(layer, "Path")) == 0) throw Refusal{kPathNotFound, text(layer, "Path")};
    }
    fs::path root = disk->file.parent_path() / "C";
    if (!fs::exists(root)) fill(root, settings["Layers"], shares_);
    combined_[path] = settings["Layers"];
}

fs::path FakeMachine::root(const std::string& path, const Json& layers) const {
    auto found = combined_.find(path);
    if (found == combined_.end()) throw Refusal{kPathNotFound, "nothing is combined at " + path};
    if (found->second != layers) throw Refusal{E_INVALIDARG, "other layers than those combined"};
    return disk_at(path)->file.parent_path() / "C";
}

const Json& machine_shape() {
    static const Json shape = Json::parse(std::string(R"({
            "StopOnReset": true,
            "Chipset": {"Uefi": {"BootThis": {"DeviceType": "", "DevicePath": ""}}},
            "ComputeTopology": {
                "Memory": {"SizeInMB": 0, "AllowOvercommit": true, "EnableHotHint": true, "EnableDeferredCommit": true},
                "Processor": {"Count": 0}},
            "Devices": {
                "Scsi": {"*": {"Attachments": {"*": {"Type": "", "Path": ""}}}},
                "HvSocket": {"HvSocketConfig": {"DefaultBindSecurityDescriptor": ""}},
                "VirtualSmb": {"DirectFileMappingInMB": 0, "Shares": [)") +
                                          kShare + R"(]}},
            "RegistryChanges": {"AddValues": [{"Key": {"Hive": "", "Name": ""}, "Name": "", "Type": "",
                "DWordValue": 0}]},
            "GuestConnection": {}})");
    return shape;
}

void check_machine(const Json& machine) {
    // Without it HCS has nobody to talk to about containers.
    if (!machine.contains("GuestConnection")) invalid("$.VirtualMachine.GuestConnection: missing");
    const Json& shares = machine.at("Devices").at("VirtualSmb").at("Shares");
    if (shares.empty() || text(shares[0], "Name") != "os")
        invalid("$.VirtualMachine.Devices: nothing to boot");
    if (!fs::is_directory(wide(text(shares[0], "Path")))) throw Refusal{kPathNotFound, "the share os"};
}

Json parse_modification(const wchar_t* request) {
    Json json = Json::parse(narrow(request), nullptr, false);
    if (json.is_discarded() || !json.is_object()) invalid("$: no JSON");
    Json shape = Json::parse(R"({"RequestType": "", "ResourcePath": ""})");
    bool of_host = json.contains("ResourcePath"), of_guest = json.contains("GuestRequest");
    if (!of_host && !of_guest) invalid("$: of no resource");
    if (of_host) shape["Settings"] = settings_shape(text(json, "ResourcePath"));
    if (of_guest) {
        Json& guest = json["GuestRequest"];
        shape["GuestRequest"] = Json::parse(R"({"RequestType": "", "ResourceType": ""})");
        shape["GuestRequest"]["Settings"] = guest_settings_shape(text(guest, "ResourceType"));
        // An endpoint as the network service describes it: not ours to check.
        if (text(guest, "ResourceType") == "Network") guest["Settings"].erase("Settings");
    }
    return parse_strictly(wide(json.dump()).c_str(), shape);
}

bool grant_access(const std::string& vm, const fs::path& file) {
    if (!fs::is_regular_file(file)) return false;
    std::lock_guard lock(grants().mutex);
    grants().given.emplace(vm, file);
    return true;
}

}  // namespace mullion::fake
