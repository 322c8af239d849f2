#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <memory>
#include <mutex>

#include "base/error.hpp"

namespace mullion::base {
namespace {

// The level of loggers that are made later.
std::atomic<spdlog::level::level_enum>& default_level() {
    static std::atomic<spdlog::level::level_enum> level{spdlog::level::warn};
    return level;
}

}  // namespace

spdlog::logger& log(const std::string& room) {
    static std::mutex mutex;
    std::lock_guard lock(mutex);
    std::shared_ptr<spdlog::logger> logger = spdlog::get(room);
    if (!logger) {
        logger = spdlog::stderr_logger_mt(room);
        logger->set_level(default_level());
    }
    return *logger;
}

void set_log_level(const std::string& level) {
    spdlog::level::level_enum value = spdlog::level::from_str(level);
    if (value == spdlog::level::off && level != "off") {
        throw fail(ErrorCode::Invalid, "unknown log level \"{}\" (trace, debug, info, warn, error, off)",
                   level);
    }
    default_level() = value;
    spdlog::set_level(value);
}

}  // namespace mullion::base
