#include <windows.h>

#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "base/win32.hpp"
#include "cli/doctor_checks.hpp"
#include "cli/windows_findings.hpp"
#include "cli/windows_service.hpp"
#include "hcs/native_host.hpp"
#include "oci/image.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;

// hcs.md §3.2: what reading and writing layers takes.
constexpr const wchar_t* kPrivileges[] = {SE_BACKUP_NAME, SE_RESTORE_NAME, SE_SECURITY_NAME};
constexpr const char* kServices[] = {"vmcompute", "hns"};
constexpr const wchar_t* kDefender = L"SOFTWARE\\Microsoft\\Windows Defender";
constexpr const wchar_t* kExclusions[] = {
    L"SOFTWARE\\Microsoft\\Windows Defender\\Exclusions\\Paths",
    L"SOFTWARE\\Policies\\Microsoft\\Windows Defender\\Exclusions\\Paths"};
constexpr DWORD kLongestValueName = 16384;

struct KeyCloser {
    void operator()(HKEY key) const { ::RegCloseKey(key); }
};
using UniqueKey = std::unique_ptr<std::remove_pointer_t<HKEY>, KeyCloser>;

// ERROR_SUCCESS, ERROR_FILE_NOT_FOUND, ERROR_ACCESS_DENIED...
LSTATUS open_key(const wchar_t* path, UniqueKey& key) {
    HKEY opened = nullptr;
    LSTATUS result = ::RegOpenKeyExW(HKEY_LOCAL_MACHINE, path, 0, KEY_READ | KEY_WOW64_64KEY, &opened);
    if (result == ERROR_SUCCESS) key.reset(opened);
    return result;
}

std::string expanded(const std::wstring& text) {
    std::wstring value(::ExpandEnvironmentStringsW(text.c_str(), nullptr, 0), L'\0');
    ::ExpandEnvironmentStringsW(text.c_str(), value.data(), static_cast<DWORD>(value.size()));
    return base::from_wide(value.c_str());
}

// An excluded path is the name of a value.
void add_value_names(HKEY key, std::vector<std::string>& names) {
    std::wstring name(kLongestValueName, L'\0');
    for (DWORD index = 0;; ++index) {
        DWORD size = kLongestValueName;
        LSTATUS result = ::RegEnumValueW(key, index, name.data(), &size, nullptr, nullptr, nullptr, nullptr);
        if (result != ERROR_SUCCESS) return;
        names.push_back(expanded(name.substr(0, size)));
    }
}

ScannerFacts scanner_facts() {
    UniqueKey key;
    ScannerFacts facts{open_key(kDefender, key) == ERROR_SUCCESS, true, {}};
    for (const wchar_t* path : kExclusions) {
        LSTATUS result = open_key(path, key);
        if (result == ERROR_SUCCESS) add_value_names(key.get(), facts.excluded);
        if (result != ERROR_SUCCESS && result != ERROR_FILE_NOT_FOUND) facts.readable = false;
    }
    return facts;
}

Finding virus_scanner(Context& context) {
    return virus_scanner_finding(scanner_facts(), fs::absolute(context.state_directory()).string());
}

Finding long_paths() {
    DWORD enabled = 0, size = sizeof enabled;
    bool there =
        ::RegGetValueW(HKEY_LOCAL_MACHINE, L"SYSTEM\\CurrentControlSet\\Control\\FileSystem",
                       L"LongPathsEnabled", RRF_RT_REG_DWORD, nullptr, &enabled, &size) == ERROR_SUCCESS;
    return long_paths_finding(there ? std::optional<std::uint32_t>(enabled) : std::nullopt);
}

Finding volume(Context& context) {
    std::optional<fs::path> directory = usable_state(context);
    if (!directory) return no_usable_state();
    wchar_t root[MAX_PATH + 1] = {};
    wchar_t kind[MAX_PATH + 1] = {};
    if (!::GetVolumePathNameW(directory->c_str(), root, MAX_PATH) ||
        !::GetVolumeInformationW(root, nullptr, 0, nullptr, nullptr, nullptr, kind, MAX_PATH)) {
        throw base::last_error(fmt::format("cannot look at the volume of {}", directory->string()));
    }
    return volume_finding(base::from_wide(kind));
}

// Missing services mean the same as missing libraries.
Finding containers_feature() {
    std::vector<std::string> missing = hcs::missing_libraries();
    for (const char* service : kServices) {
        if (service_state(service) == ServiceState::Absent) {
            missing.push_back(fmt::format("there is no service {}", service));
        }
    }
    return containers_feature_finding(missing);
}

Finding service(const std::string& name, Context& context) {
    return service_finding(name, service_state(name),
                           [name, &context] { start_service(name, context.cancel); });
}

std::vector<std::byte> token_information(HANDLE token, TOKEN_INFORMATION_CLASS what) {
    DWORD size = 0;
    ::GetTokenInformation(token, what, nullptr, 0, &size);
    std::vector<std::byte> buffer(size);
    if (!::GetTokenInformation(token, what, buffer.data(), size, &size)) {
        throw base::last_error("cannot look at our own rights");
    }
    return buffer;
}

bool holds(const TOKEN_PRIVILEGES& held, const wchar_t* name) {
    LUID wanted = {};
    ::LookupPrivilegeValueW(nullptr, name, &wanted);
    for (DWORD i = 0; i < held.PrivilegeCount; ++i) {
        const LUID& each = held.Privileges[i].Luid;
        if (each.LowPart == wanted.LowPart && each.HighPart == wanted.HighPart) return true;
    }
    return false;
}

Finding privileges() {
    HANDLE opened = nullptr;
    if (!::OpenProcessToken(::GetCurrentProcess(), TOKEN_QUERY, &opened)) {
        throw base::last_error("cannot look at our own rights");
    }
    base::UniqueHandle token(opened);
    std::vector<std::byte> elevation = token_information(token.get(), TokenElevation);
    std::vector<std::byte> held = token_information(token.get(), TokenPrivileges);
    std::vector<std::string> missing;
    for (const wchar_t* name : kPrivileges) {
        if (!holds(*reinterpret_cast<const TOKEN_PRIVILEGES*>(held.data()), name)) {
            missing.push_back(base::from_wide(name));
        }
    }
    return privileges_finding(
        reinterpret_cast<const TOKEN_ELEVATION*>(elevation.data())->TokenIsElevated != 0, missing);
}

Finding nat_network() {
    try {
        return nat_network_finding(hcs::nat_network(), hcs::make_nat_network);
    } catch (const base::Error& error) {
        return nat_network_finding(error);
    }
}

Finding image_versions(Context& context) {
    if (!usable_state(context)) return no_usable_state();
    cache::State& state = context.state();
    std::vector<StoredVersion> images;
    for (const cache::NamedImage& named : state.images().list()) {
        for (const oci::Image& image : oci::load_images(state.content(), named.target, context.cancel)) {
            const oci::Platform& platform = image.config.platform;
            if (platform.is_windows()) images.push_back({named.name, platform.os_version});
        }
    }
    return image_versions_finding(hcs::host_facts(), images);
}

}  // namespace

std::vector<Check> host_checks(Context& context) {
    std::vector<Check> checks = {
        {"file-system", [&context] { return volume(context); }},
        {"long-paths", long_paths},
        {"virus-scanner", [&context] { return virus_scanner(context); }},
        {"windows-version", [] { return windows_version_finding(hcs::host_facts()); }},
        {"containers-feature", containers_feature},
        {"hyperv-feature", [] { return hyperv_feature_finding(hcs::host_facts().has_hyperv); }}};
    for (const char* name : kServices) {
        checks.push_back(
            {fmt::format("service-{}", name), [name, &context] { return service(name, context); }});
    }
    checks.push_back({"privileges", privileges});
    checks.push_back({"nat-network", nat_network});
    checks.push_back({"image-versions", [&context] { return image_versions(context); }});
    return checks;
}

}  // namespace mullion::cli
