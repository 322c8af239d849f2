#include <windows.h>

#include "cache/boot_id.hpp"

namespace mullion::cache {

// The session manager counts the boots.
std::string boot_id() {
    constexpr const wchar_t* kKey =
        L"SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management\\PrefetchParameters";
    DWORD count = 0;
    DWORD size = sizeof count;
    if (::RegGetValueW(HKEY_LOCAL_MACHINE, kKey, L"BootId", RRF_RT_REG_DWORD, nullptr, &count, &size) !=
        ERROR_SUCCESS) {
        return "unknown";
    }
    return "boot " + std::to_string(count);
}

}  // namespace mullion::cache
