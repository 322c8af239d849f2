#include "hcs/native_api.hpp"

#include <fmt/format.h>

#include <charconv>

namespace mullion::hcs {
Library::Library(const char* name)
    : name_(name),
      module_(::LoadLibraryExW(base::to_wide(name).c_str(), nullptr,
                               LOAD_LIBRARY_SEARCH_APPLICATION_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32)) {
    if (module_ == nullptr) {
        Hresult result = last_error();
        throw base::fail(base::ErrorCode::Unsupported, "this Windows has no {}: {}", name_, result.describe())
            .hint(Hresult(static_cast<std::uint32_t>(HcsError::ServiceNotAvailable)).hint());
    }
}

FARPROC Library::address(const char* name) const {
    FARPROC found = ::GetProcAddress(module_, name);
    if (found == nullptr) {
        throw base::fail(base::ErrorCode::Unsupported, "{} of this Windows has no {}", name_, name)
            .hint("Windows 10 1809 or Windows Server 2019 is needed, or a later one");
    }
    return found;
}

#define MULLION_FIND(function) table->library.find(table->function, #function);

std::shared_ptr<const ComputeCore> ComputeCore::load() {
    auto table = std::make_shared<ComputeCore>();
    MULLION_COMPUTECORE(MULLION_FIND)
    return table;
}

std::shared_ptr<const ComputeNetwork> ComputeNetwork::load() {
    auto table = std::make_shared<ComputeNetwork>();
    MULLION_COMPUTENETWORK(MULLION_FIND)
    return table;
}

std::shared_ptr<const ComputeStorage> ComputeStorage::load() {
    auto table = std::make_shared<ComputeStorage>();
    MULLION_COMPUTESTORAGE(MULLION_FIND)
    return table;
}

std::shared_ptr<const VirtDisk> VirtDisk::load() {
    auto table = std::make_shared<VirtDisk>();
    MULLION_VIRTDISK(MULLION_FIND)
    return table;
}

std::shared_ptr<const VmCompute> VmCompute::load() {
    auto table = std::make_shared<VmCompute>();
    MULLION_FIND(NameToGuid)
    MULLION_FIND(CreateSandboxLayer)
    MULLION_FIND(ExpandSandboxSize)
    MULLION_FIND(ActivateLayer)
    MULLION_FIND(DeactivateLayer)
    MULLION_FIND(PrepareLayer)
    MULLION_FIND(UnprepareLayer)
    MULLION_FIND(GetLayerMountPath)
    MULLION_FIND(ImportLayer)
    MULLION_FIND(ExportLayer)
    MULLION_FIND(DestroyLayer)
    MULLION_FIND(ProcessBaseImage)
    MULLION_FIND(ProcessUtilityImage)
    return table;
}

GUID to_guid(std::string_view text) {
    std::string digits;
    for (char c : text) {
        if (c != '-' && c != '{' && c != '}') digits += c;
    }
    auto number = [&](std::size_t at, std::size_t size) {
        std::uint64_t value = 0;
        const char* end = digits.data() + at + size;
        if (at + size > digits.size() || std::from_chars(digits.data() + at, end, value, 16).ptr != end) {
            throw base::fail(base::ErrorCode::Invalid, "{} is no GUID", text);
        }
        return value;
    };
    GUID guid;
    guid.Data1 = static_cast<decltype(guid.Data1)>(number(0, 8));
    guid.Data2 = static_cast<decltype(guid.Data2)>(number(8, 4));
    guid.Data3 = static_cast<decltype(guid.Data3)>(number(12, 4));
    for (std::size_t i = 0; i < 8; ++i) guid.Data4[i] = static_cast<unsigned char>(number(16 + 2 * i, 2));
    return guid;
}

std::string to_text(const GUID& guid) {
    const unsigned char* d = guid.Data4;
    return fmt::format("{:08x}-{:04x}-{:04x}-{:02x}{:02x}-{:02x}{:02x}{:02x}{:02x}{:02x}{:02x}",
                       static_cast<std::uint32_t>(guid.Data1), guid.Data2, guid.Data3, d[0], d[1], d[2], d[3],
                       d[4], d[5], d[6], d[7]);
}

}  // namespace mullion::hcs
