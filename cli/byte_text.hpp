// Numbers of bytes in decimal units, as docker and BuildKit show them.
#pragma once

#include <cstdint>
#include <string>

namespace mullion::cli {

// "512B", "1.50kB", "23.00MB": transfers, whose width should not jump.
std::string shown_bytes(std::int64_t bytes);
// " 8.10MB/s", after what moved so many bytes so far; empty as long as that says nothing.
std::string shown_rate(std::int64_t bytes, double seconds);
// "512B", "1.5kB", "12.3MB": sizes in lists.
std::string human_size(std::uint64_t bytes);

}  // namespace mullion::cli
