// Values of options that several commands share. All throw Invalid, quoting the value.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "worker/run_container.hpp"

namespace mullion::cli {

// `-v HOST:CONTAINER[:ro|rw]`. HOST exists (made absolute), CONTAINER is an absolute Windows path
// ("C:\data").
worker::Volume parse_volume(const std::string& text);

// "512m", "2g", "1073741824" (bytes) -> MiB, rounded up.
std::uint64_t parse_memory_mb(const std::string& text);

// "90s", "5m", "1h30m"; rounded up to seconds, more than none.
std::chrono::seconds parse_duration(const std::string& text);

}  // namespace mullion::cli
