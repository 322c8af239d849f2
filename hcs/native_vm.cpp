#include "hcs/native_vm.hpp"

#include <fmt/format.h>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"
#include "hcs/network_schema.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr const char* kTemplate = "SystemTemplate.vhdx";
constexpr const char* kDisk = "sandbox.vhdx";
constexpr std::uint32_t kScratchLun = 1;
// What hcsshim gives a VM that has no limit; with one, that much for its own Windows.
constexpr std::uint64_t kOwnMemoryMb = 1024;

std::string text_of(const fs::path& path) {
    return base::from_wide(path.native());
}

// The UtilityVM folder of the uppermost layer that has one.
fs::path system_folder(const std::vector<Layer>& layers) {
    for (const Layer& layer : layers) {
        fs::path folder = base::to_path(layer.Path) / "UtilityVM";
        if (fs::is_regular_file(folder / kTemplate) && fs::is_directory(folder / "Files")) return folder;
    }
    throw base::fail(ErrorCode::Unsupported,
                     "Hyper-V isolation: no layer of the image has a utility VM (UtilityVM\\{})", kTemplate)
        .hint("use --isolation=process, or an image on a base that Microsoft made for both");
}

UtilityVm describe(const ComputeSystemDocument& container, const fs::path& system, const fs::path& disk) {
    UtilityVm vm;
    vm.owner = container.Owner;
    vm.os_files = text_of(system / "Files");
    vm.scratch = text_of(disk);
    vm.memory_mb = kOwnMemoryMb;
    if (container.Container.Memory) vm.memory_mb += container.Container.Memory->SizeInMB;
    if (container.Container.Processor && container.Container.Processor->Count != 0) {
        vm.processors = container.Container.Processor->Count;
    }
    return vm;
}

// Disks of a VM are opened by its own account.
void grant(const ComputeCore& core, const std::string& id, const fs::path& disk) {
    Hresult result = hresult(core.HcsGrantVmAccess(base::to_wide(id).c_str(), disk.c_str()));
    if (result.failed())
        throw hcs_failure(result, fmt::format("cannot give {} access to {}", id, text_of(disk)));
}

}  // namespace

NativeVm::Folder::Folder(fs::path folder) : path(std::move(folder)) {
    base::remove_tree(path);
    base::make_directories(path);
}

NativeVm::Folder::~Folder() {
    try {
        base::remove_tree(path);
    } catch (const std::exception& error) {
        base::log("hcs").warn("{}", error.what());
    }
}

NativeVm::NativeVm(std::shared_ptr<const ComputeCore> core, const NativeOptions& options,
                   const std::string& id, const ComputeSystemDocument& container, const fs::path& scratch,
                   const ContainerNetwork* network, const base::CancelToken& cancel)
    : core_(std::move(core)),
      options_(options),
      id_(id),
      container_(container),
      scratch_(fs::absolute(scratch)) {
    if (!container.Container.MappedPipes.empty()) {
        throw base::fail(ErrorCode::Unsupported,
                         "Hyper-V isolation: pipes of the host cannot be mapped into a utility VM yet")
            .hint("use --isolation=process");
    }
    fs::path system = system_folder(container.Container.Storage.Layers);
    folder_ = std::make_unique<Folder>(scratch_ / "vm");
    boot(system, cancel);
    share_layers(cancel);
    attach_scratch(cancel);
    machine_->modify(combine_layers_request(container_root(), container_.Container.Storage.Layers), cancel);
    share_directories(cancel);
    if (network != nullptr) connect(*network, cancel);
}

NativeVm::~NativeVm() = default;

void NativeVm::boot(const fs::path& system, const base::CancelToken& cancel) {
    fs::path disk = folder_->path / kDisk;
    if (!::CopyFileW(base::native_path(system / kTemplate).c_str(), base::native_path(disk).c_str(), TRUE)) {
        throw base::last_error("cannot make the disk " + text_of(disk));
    }
    grant(*core_, id_, disk);
    machine_ = std::make_unique<NativeSystem>(core_, options_, id_,
                                              utility_vm_document(describe(container_, system, disk)),
                                              nullptr, cancel, nullptr);
    machine_->start(cancel);
}

// Returns where the guest sees it.
std::string NativeVm::add(Share share, const base::CancelToken& cancel) {
    share.name = fmt::format("s{:x}", ++shares_);
    machine_->modify(add_share_request(share), cancel);
    std::string path = share_in_guest(share.name);
    return share.only_file.empty() ? path : path + "\\" + share.only_file;
}

void NativeVm::share_layers(const base::CancelToken& cancel) {
    for (Layer& layer : container_.Container.Storage.Layers) {
        layer.Path = add({"", layer.Path, Share::Use::Layer}, cancel);
    }
}

void NativeVm::share_directories(const base::CancelToken& cancel) {
    for (MappedDirectory& mapped : container_.Container.MappedDirectories) {
        fs::path path = base::to_path(mapped.HostPath);
        Share wanted{"", mapped.HostPath, mapped.ReadOnly ? Share::Use::ReadOnly : Share::Use::Writable};
        if (!fs::is_directory(path)) {
            wanted.host_path = text_of(path.parent_path());
            wanted.only_file = text_of(path.filename());
        }
        mapped.HostPath = add(std::move(wanted), cancel);
    }
}

void NativeVm::attach_scratch(const base::CancelToken& cancel) {
    fs::path disk = scratch_ / kDisk;
    grant(*core_, id_, disk);
    machine_->modify(attach_disk_request(kScratchLun, text_of(disk)), cancel);
}

void NativeVm::connect(const ContainerNetwork& network, const base::CancelToken& cancel) {
    std::string properties = network.endpoint_properties();
    const std::string& endpoint = network.endpoint_id();
    machine_->modify(add_namespace_request(network.namespace_id()), cancel);
    // An adapter is named by its endpoint: there is one of each.
    machine_->modify(announce_adapter_request(endpoint, properties), cancel);
    machine_->modify(add_adapter_request(endpoint, endpoint, parse_host_endpoint(properties).mac_address),
                     cancel);
}

std::string NativeVm::container_root() {
    return disk_in_guest(kScratchLun);
}

std::string NativeVm::container_document() const {
    return hosted_container_document(id_, container_);
}

// Without its disk there is nothing in the VM that must be written: it need not shut Windows down.
void NativeVm::shut_down(const base::CancelToken& cancel) {
    machine_->modify(separate_layers_request(container_root()), cancel);
    machine_->modify(detach_disk_request(kScratchLun), cancel);
    machine_.reset();
    folder_.reset();
}

}  // namespace mullion::hcs
