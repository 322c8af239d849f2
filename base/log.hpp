// Logs for developers; what users want to see is progress (base/progress.hpp). Off below "warn" unless asked
// for.
#pragma once

#include <spdlog/spdlog.h>

#include <string>

namespace mullion::base {

// The logger of a room, writing to stderr. Made on first use; thread-safe.
spdlog::logger& log(const std::string& room);

// Level for every room: "trace", "debug", "info", "warn", "error", "off"; throws Invalid.
void set_log_level(const std::string& level);

}  // namespace mullion::base
