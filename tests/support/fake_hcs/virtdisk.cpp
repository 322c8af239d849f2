// The double of virtdisk.dll: what set-up of base layers needs (hcs.md §3.3), Windows' newer parameters only.
// Every call has a fault of its name.
#include <windows.h>
// Before the declarations that need it:
#include <sddl.h>
#include <virtdisk.h>

#include <cstring>

#include "tests/support/fake_hcs/disk.hpp"
#include "tests/support/fake_hcs/host.hpp"

// The header declares them for those who import them.
#pragma GCC diagnostic ignored "-Wattributes"

namespace mullion::fake {
namespace {

constexpr GUID kMicrosoft = {0xEC984AEC, 0xA0F9, 0x47e9, {0x90, 0x1F, 0x71, 0x41, 0x5A, 0x66, 0x34, 0x5B}};
constexpr std::uint64_t kLeast = 3 << 20;
constexpr ULONG kSector = 512;

// One call: its fault first. `body` returns a Win32 code.
template <typename Body>
DWORD answer(const char* call, const fs::path& disk, const std::string& document, Body body) {
    log(call, disk.filename().string(), document);
    if (auto failure = fault(call)) return static_cast<DWORD>(failure->result) & 0xFFFF;
    return body();
}

bool is_vhdx(const VIRTUAL_STORAGE_TYPE* type) {
    return type != nullptr && type->DeviceId == VIRTUAL_STORAGE_TYPE_DEVICE_VHDX &&
           std::memcmp(&type->VendorId, &kMicrosoft, sizeof kMicrosoft) == 0;
}

HANDLE hold(HANDLE file) {
    ::LockFile(file, kDiskLock, 0, 1, 0);
    return file;
}

std::string sddl_of(PSECURITY_DESCRIPTOR descriptor) {
    LPWSTR text = nullptr;
    if (descriptor == nullptr ||
        !::ConvertSecurityDescriptorToStringSecurityDescriptorW(descriptor, SDDL_REVISION_1,
                                                                DACL_SECURITY_INFORMATION, &text, nullptr)) {
        return "no descriptor";
    }
    std::string sddl = narrow(text);
    ::LocalFree(text);
    return sddl;
}

DWORD create(PCWSTR path, const CREATE_VIRTUAL_DISK_PARAMETERS& parameters, PHANDLE handle) {
    const auto& wanted = parameters.Version2;
    Disk disk{wanted.MaximumSize};
    if (wanted.ParentPath != nullptr) {
        if (disk.bytes != 0) return ERROR_INVALID_PARAMETER;
        disk = read_disk(wanted.ParentPath);
        if (disk.bytes == 0) return ERROR_FILE_NOT_FOUND;
    }
    if (disk.bytes < kLeast || disk.bytes % kSector != 0) return ERROR_INVALID_PARAMETER;
    HANDLE file = ::CreateFileW(path, GENERIC_READ | GENERIC_WRITE, 0, nullptr, CREATE_NEW, 0, nullptr);
    if (file == INVALID_HANDLE_VALUE) return ::GetLastError();
    std::string text = text_of(disk);
    DWORD written = 0;
    ::WriteFile(file, text.data(), static_cast<DWORD>(text.size()), &written, nullptr);
    *handle = hold(file);
    return ERROR_SUCCESS;
}

DWORD open(PCWSTR path, PHANDLE handle) {
    HANDLE file = ::CreateFileW(path, GENERIC_READ, FILE_SHARE_READ, nullptr, OPEN_EXISTING, 0, nullptr);
    if (file == INVALID_HANDLE_VALUE) return ::GetLastError();
    if (read_disk(path).bytes == 0) {
        ::CloseHandle(file);
        return ERROR_FILE_CORRUPT;
    }
    *handle = hold(file);
    return ERROR_SUCCESS;
}

}  // namespace

void loaded() {}

std::size_t left_over() {
    return 0;
}

}  // namespace mullion::fake

using namespace mullion::fake;

extern "C" {

DWORD WINAPI CreateVirtualDisk(PVIRTUAL_STORAGE_TYPE type, PCWSTR path, VIRTUAL_DISK_ACCESS_MASK access,
                               PSECURITY_DESCRIPTOR descriptor, CREATE_VIRTUAL_DISK_FLAG, ULONG,
                               PCREATE_VIRTUAL_DISK_PARAMETERS parameters, LPOVERLAPPED, PHANDLE handle) {
    return answer("CreateVirtualDisk", path, sddl_of(descriptor), [&]() -> DWORD {
        if (!is_vhdx(type) || parameters->Version != CREATE_VIRTUAL_DISK_VERSION_2 ||
            access != VIRTUAL_DISK_ACCESS_NONE) {
            return ERROR_INVALID_PARAMETER;
        }
        return create(path, *parameters, handle);
    });
}

DWORD WINAPI OpenVirtualDisk(PVIRTUAL_STORAGE_TYPE type, PCWSTR path, VIRTUAL_DISK_ACCESS_MASK access,
                             OPEN_VIRTUAL_DISK_FLAG, POPEN_VIRTUAL_DISK_PARAMETERS parameters,
                             PHANDLE handle) {
    return answer("OpenVirtualDisk", path, {}, [&]() -> DWORD {
        if (!is_vhdx(type) || parameters == nullptr || parameters->Version != OPEN_VIRTUAL_DISK_VERSION_2 ||
            access != VIRTUAL_DISK_ACCESS_NONE) {
            return ERROR_INVALID_PARAMETER;
        }
        return open(path, handle);
    });
}

DWORD WINAPI GetVirtualDiskInformation(HANDLE handle, PULONG size, PGET_VIRTUAL_DISK_INFO info, PULONG) {
    wchar_t path[MAX_PATH * 4] = L"";
    ::GetFinalPathNameByHandleW(handle, path, MAX_PATH * 4, 0);
    return answer("GetVirtualDiskInformation", path, {}, [&]() -> DWORD {
        if (!is_disk(handle)) return ERROR_INVALID_HANDLE;
        if (*size < sizeof *info) return ERROR_INSUFFICIENT_BUFFER;
        if (info->Version != GET_VIRTUAL_DISK_INFO_SIZE) return ERROR_INVALID_PARAMETER;
        info->Size.VirtualSize = read_disk(path).bytes;
        info->Size.SectorSize = kSector;
        return ERROR_SUCCESS;
    });
}

}  // extern "C"
