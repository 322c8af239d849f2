// Host paths from text. std::filesystem takes narrow text for the system's code page on Windows; all our text
// is UTF-8.
#pragma once

#include <filesystem>
#include <string_view>

namespace mullion::base {

// Throws Invalid where `text` cannot be a path: on Windows, if it is not UTF-8.
std::filesystem::path to_path(std::string_view text);

}  // namespace mullion::base
