#include "hcs/native_disks.hpp"

#include <sddl.h>

#include <array>

#include "base/file.hpp"
#include "base/json.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;

constexpr std::array kMade = {"Hives", "Layout", "blank-base.vhdx", "blank.vhdx"};
constexpr ULONG kBlockBytes = 1 << 20;

// Everything for the system and administrators; virtual machines (S-1-5-83-0) read.
constexpr const wchar_t* kDescriptor = L"D:(A;;FA;;;SY)(A;;FA;;;BA)(A;;GR;;;S-1-5-83-0)";

// VIRTUAL_STORAGE_TYPE_VENDOR_MICROSOFT, which headers declare and no library defines.
constexpr GUID kMicrosoft = {0xEC984AEC, 0xA0F9, 0x47e9, {0x90, 0x1F, 0x71, 0x41, 0x5A, 0x66, 0x34, 0x5B}};

std::string text_of(const fs::path& path) {
    return base::from_wide(path.native());
}

void check(Hresult result, std::string what) {
    if (result.failed()) throw hcs_failure(result, what);
}

class Descriptor {
  public:
    Descriptor() {
        if (!::ConvertStringSecurityDescriptorToSecurityDescriptorW(kDescriptor, SDDL_REVISION_1,
                                                                    &descriptor_, nullptr)) {
            throw base::last_error("no descriptor for disks");
        }
    }
    ~Descriptor() { ::LocalFree(descriptor_); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    PSECURITY_DESCRIPTOR get() const { return descriptor_; }

  private:
    PSECURITY_DESCRIPTOR descriptor_ = nullptr;
};

}  // namespace

NativeDisks::NativeDisks() : layers_(ComputeStorage::load()), disks_(VirtDisk::load()) {}

void NativeDisks::set_up_base(const fs::path& layer, std::uint64_t bytes) const {
    static const std::wstring options = base::to_wide(base::OrderedJson{{"Type", "Container"}}.dump());
    fs::path formatted = layer / "blank-base.vhdx";
    try {
        format(formatted, create(formatted, {}, bytes));
        // Of a container's layer it opens the disk itself: nobody else may have it.
        check(hresult(layers_->HcsSetupBaseOSLayer(layer.c_str(), nullptr, options.c_str())),
              "cannot set up base layer " + text_of(layer));
        create(layer / "blank.vhdx", formatted, 0);
    } catch (...) {
        for (const char* name : kMade) base::remove_tree(layer / name);
        throw;
    }
}

// Of the size of its parent, if it has one.
base::UniqueHandle NativeDisks::create(const fs::path& disk, const fs::path& parent,
                                       std::uint64_t bytes) const {
    VIRTUAL_STORAGE_TYPE type{VIRTUAL_STORAGE_TYPE_DEVICE_VHDX, kMicrosoft};
    CREATE_VIRTUAL_DISK_PARAMETERS parameters{};
    parameters.Version = CREATE_VIRTUAL_DISK_VERSION_2;
    parameters.Version2.MaximumSize = bytes;
    parameters.Version2.BlockSizeInBytes = kBlockBytes;
    if (!parent.empty()) parameters.Version2.ParentPath = parent.c_str();
    HANDLE handle = nullptr;
    DWORD code = disks_->CreateVirtualDisk(&type, disk.c_str(), VIRTUAL_DISK_ACCESS_NONE, Descriptor().get(),
                                           CREATE_VIRTUAL_DISK_FLAG_NONE, 0, &parameters, nullptr, &handle);
    check(Hresult::of_win32(code), "cannot create disk " + text_of(disk));
    return base::UniqueHandle(handle);
}

// It wants the disk's handle, on Windows Server 2019 one of its file.
void NativeDisks::format(const fs::path& disk, base::UniqueHandle opened) const {
    Hresult result = hresult(layers_->HcsFormatWritableLayerVhd(opened.get()));
    if (result.failed()) {
        opened.reset();
        base::UniqueHandle file(::CreateFileW(disk.c_str(), GENERIC_READ | GENERIC_WRITE,
                                              FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_EXISTING,
                                              FILE_ATTRIBUTE_NORMAL, nullptr));
        if (!file) throw base::last_error("cannot open disk " + text_of(disk));
        result = hresult(layers_->HcsFormatWritableLayerVhd(file.get()));
    }
    check(result, "cannot format disk " + text_of(disk));
}

std::optional<std::uint64_t> NativeDisks::size_of(const fs::path& disk) const {
    VIRTUAL_STORAGE_TYPE type{VIRTUAL_STORAGE_TYPE_DEVICE_VHDX, kMicrosoft};
    OPEN_VIRTUAL_DISK_PARAMETERS parameters{};
    parameters.Version = OPEN_VIRTUAL_DISK_VERSION_2;
    parameters.Version2.GetInfoOnly = TRUE;
    HANDLE handle = nullptr;
    if (disks_->OpenVirtualDisk(&type, disk.c_str(), VIRTUAL_DISK_ACCESS_NONE,
                                OPEN_VIRTUAL_DISK_FLAG_NO_PARENTS, &parameters, &handle) != ERROR_SUCCESS) {
        return std::nullopt;
    }
    base::UniqueHandle opened(handle);
    GET_VIRTUAL_DISK_INFO info{};
    info.Version = GET_VIRTUAL_DISK_INFO_SIZE;
    ULONG size = sizeof info;
    if (disks_->GetVirtualDiskInformation(opened.get(), &size, &info, nullptr) != ERROR_SUCCESS) {
        return std::nullopt;
    }
    return info.Size.VirtualSize;
}

}  // namespace mullion::hcs
