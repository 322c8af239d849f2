// What things in a state take up.
#pragma once

#include <cstdint>
#include <filesystem>

namespace mullion::cache {

// The bytes of a file, or of all files below a directory. What vanishes meanwhile does not count.
std::uint64_t bytes_below(const std::filesystem::path& path);

}  // namespace mullion::cache
