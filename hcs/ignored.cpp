#include "hcs/ignored.hpp"

#include "tree/name.hpp"

namespace mullion::hcs {
namespace {

// Keys Wine keeps its own state in, or writes when a program first draws text or makes a window.
constexpr std::string_view kRegistryKeys[] = {
    "HKLM\\Software\\Wine",
    "HKCU\\Software\\Wine",
    "HKU\\.DEFAULT\\Software\\Wine",
    "HKLM\\Software\\Microsoft\\Windows NT\\CurrentVersion\\Fonts",
    "HKLM\\Software\\Microsoft\\Windows\\CurrentVersion\\Fonts",
    "HKLM\\Software\\Wow6432Node\\Wine",
    "HKLM\\System\\CurrentControlSet\\Control\\Class\\{4D36E968-E325-11CE-BFC1-08002BE10318}",
    "HKLM\\System\\CurrentControlSet\\Hardware Profiles\\Current\\Software\\Fonts",
};

// Empty: the prepared layer holds everything Wine would make by itself.
constexpr std::string_view kPaths[] = {
    "Windows/Installer/winetricks",
};

template <typename Table>
bool listed(const Table& table, std::string_view name, char separator) {
    std::string folded = tree::fold(tree::Os::Windows, name);
    for (std::string_view entry : table) {
        std::string prefix = tree::fold(tree::Os::Windows, entry);
        if (folded == prefix) return true;
        if (folded.size() > prefix.size() && folded.starts_with(prefix) &&
            folded[prefix.size()] == separator) {
            return true;
        }
    }
    return false;
}

}  // namespace

bool ignored_path(std::string_view path) {
    return listed(kPaths, path, '/');
}
bool ignored_registry_key(std::string_view key) {
    return listed(kRegistryKeys, key, '\\');
}

}  // namespace mullion::hcs
