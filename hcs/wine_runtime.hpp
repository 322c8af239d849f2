// Wine as installed on the host, and the part of it that a box needs.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>

#include "base/cancel.hpp"

namespace mullion::hcs {

// Paths that are the same on the host (Debian's layout) and in a box.
namespace wine {
constexpr const char* kLoader = "/usr/lib/wine/wine64";
constexpr const char* kServer = "/usr/lib/wine/wineserver64";
constexpr const char* kUnixLibraries = "/usr/lib/x86_64-linux-gnu/wine/x86_64-unix";
constexpr const char* kWindowsLibraries = "/usr/lib/x86_64-linux-gnu/wine/x86_64-windows";
constexpr const char* kData = "/usr/share/wine";
}  // namespace wine

// What is missing on the host, for the user; nullopt if everything is there.
std::optional<std::string> wine_problem();

// As Wine tells it: "wine-8.0 (Debian 8.0~repack-4)". Throws what keeps it from being run.
std::string wine_version(const base::CancelToken& cancel);

// Changes when the installed Wine, or what we make of it, does. Libraries that Wine needs are not looked at:
// which they are takes a while to find out.
std::string wine_key();

// Changes when the file is replaced, removed or installed.
std::string file_version(const std::filesystem::path& path);

// Fills `root` with all that a box' root directory holds: loader, server, libraries and what they load, PE
// files without debug information, code pages, a font, the C.UTF-8 locale, a minimal /etc, mount points.
// Returns the programs and libraries of the host that are in it.
std::set<std::filesystem::path> copy_wine_runtime(const std::filesystem::path& root,
                                                  const base::CancelToken& cancel);

}  // namespace mullion::hcs
