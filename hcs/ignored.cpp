#include "hcs/ignored.hpp"

#include <string>

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

}  // namespace

bool ignored_registry_key(std::string_view key) {
    std::string folded = tree::fold(tree::Os::Windows, key);
    for (std::string_view entry : kRegistryKeys) {
        std::string prefix = tree::fold(tree::Os::Windows, entry);
        if (folded == prefix) return true;
        if (folded.starts_with(prefix) && folded[prefix.size()] == '\\') return true;
    }
    return false;
}

}  // namespace mullion::hcs
