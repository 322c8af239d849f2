// Durations as Dockerfiles and image histories write them: "1h2m3.5s", "300ms", "0s".
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace mullion::frontend {

// A sign, then numbers with units h, m, s, ms, us (µs), ns; "0" needs none. Throws Invalid.
std::chrono::nanoseconds parse_duration(std::string_view text);
// "1m30s", "1.5s", "200ms", "0s".
std::string format_duration(std::chrono::nanoseconds duration);

}  // namespace mullion::frontend
