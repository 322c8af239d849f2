#include "hcs/host.hpp"

#include <windows.h>

#include <fmt/format.h>

namespace mullion::hcs {
namespace {

using GetVersion = LONG(WINAPI*)(OSVERSIONINFOEXW*);

// GetVersionEx answers with what the program's manifest says it knows.
OSVERSIONINFOEXW windows_version() {
    OSVERSIONINFOEXW version = {};
    version.dwOSVersionInfoSize = sizeof version;
    auto get = reinterpret_cast<GetVersion>(
        reinterpret_cast<void*>(::GetProcAddress(::GetModuleHandleW(L"ntdll.dll"), "RtlGetVersion")));
    get(&version);
    return version;
}

DWORD windows_revision() {
    DWORD revision = 0;
    DWORD size = sizeof revision;
    ::RegGetValueW(HKEY_LOCAL_MACHINE, L"SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion", L"UBR",
                   RRF_RT_REG_DWORD, nullptr, &revision, &size);
    return revision;
}

bool has_service(const wchar_t* name) {
    std::wstring key = std::wstring(L"SYSTEM\\CurrentControlSet\\Services\\") + name;
    DWORD size = 0;
    return ::RegGetValueW(HKEY_LOCAL_MACHINE, key.c_str(), L"ImagePath", RRF_RT_ANY, nullptr, nullptr,
                          &size) == ERROR_SUCCESS;
}

}  // namespace

HostFacts host_facts() {
    OSVERSIONINFOEXW version = windows_version();
    return {fmt::format("{}.{}.{}.{}", version.dwMajorVersion, version.dwMinorVersion, version.dwBuildNumber,
                        windows_revision()),
            version.wProductType != VER_NT_WORKSTATION, has_service(L"vmms")};
}

}  // namespace mullion::hcs
