// Host paths from text. std::filesystem takes narrow text for the system's code page on Windows; all our text
// is UTF-8.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>

namespace mullion::base {

// Throws Invalid where `text` cannot be a path: on Windows, if it is not UTF-8.
std::filesystem::path to_path(std::string_view text);

// How much of `text` is a drive ("C:" of "C:\\x" and "C:/x"), whose colon separates nothing: 2 or 0. Always 0
// where hosts have no drives.
std::size_t drive_size(std::string_view text);

}  // namespace mullion::base
