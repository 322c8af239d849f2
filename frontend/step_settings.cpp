#include "frontend/step_settings.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <set>

#include "base/error.hpp"
#include "frontend/byte_size.hpp"
#include "frontend/duration.hpp"
#include "frontend/suggest.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kMark = "mullion:";
constexpr std::string_view kBlanks = " \t\r\v\f";
constexpr std::uint64_t kMebibyte = 1 << 20;
constexpr std::uint64_t kMostMemory = std::uint64_t{1} << 50;
constexpr std::uint64_t kMostProcessors = 4096;
constexpr std::uint64_t kMostRetries = 100;
constexpr std::chrono::hours kLongestTime{7 * 24};  // worker::kLongestTimeLimit

struct Example {
    std::string_view name;
    std::string_view value;
};
constexpr Example kSettings[] = {
    {"isolation", "process"}, {"memory", "2g"}, {"cpus", "2"}, {"timeout", "10m"}, {"retry", "3"}};

[[noreturn]] void bad_value(std::string_view name, std::string_view value, std::string_view expected) {
    throw fail(ErrorCode::Invalid, "# mullion: invalid value {} for {}: expected {}", quote(value), name,
               expected);
}

std::uint64_t whole_number(std::string_view name, std::string_view text, std::uint64_t most,
                           std::string_view expected) {
    std::uint64_t value = 0;
    const auto* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || stop != end || value > most) bad_value(name, text, expected);
    return value;
}

std::size_t memory_mb(std::string_view text) {
    const auto bytes = parse_byte_size(text);
    if (!bytes || *bytes == 0 || *bytes > kMostMemory) bad_value("memory", text, "a size such as 512m or 2g");
    return (*bytes + kMebibyte - 1) / kMebibyte;
}

std::int64_t seconds(std::string_view text) {
    std::chrono::nanoseconds duration{};
    try {
        duration = parse_duration(text);
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::Invalid) throw;
    }
    if (duration < std::chrono::seconds(1) || duration > kLongestTime)
        bad_value("timeout", text, "a time from 1s to 168h, such as 90s or 10m");
    return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

void assign(solver::StepSettings& settings, std::string_view name, std::string_view value) {
    if (name == "isolation") {
        if (value != "process" && value != "hyperv") bad_value(name, value, "process or hyperv");
        settings.isolation = value;
    } else if (name == "memory") {
        settings.memory_mb = memory_mb(value);
    } else if (name == "cpus") {
        settings.processors = whole_number(name, value, kMostProcessors, "a number of processors");
        if (settings.processors == 0) bad_value(name, value, "a number of processors");
    } else if (name == "timeout") {
        settings.time_limit = seconds(value);
    } else if (name == "retry") {
        settings.retries = whole_number(name, value, kMostRetries, "how often to try again, at most 100");
    } else {
        std::vector<std::string_view> names;
        for (const auto& [known, example] : kSettings) names.push_back(known);
        throw fail(ErrorCode::Invalid, "# mullion: unknown setting {}{}", quote(name),
                   did_you_mean(name, names));
    }
}

}  // namespace

bool is_step_setting(std::string_view comment) {
    return comment.starts_with(kMark);
}

solver::StepSettings parse_step_settings(const std::vector<std::string>& comments) {
    solver::StepSettings settings;
    std::set<std::string, std::less<>> seen;
    for (std::string_view rest : comments) {
        if (!is_step_setting(rest)) continue;
        rest.remove_prefix(kMark.size());
        for (;;) {
            rest.remove_prefix(std::min(rest.find_first_not_of(kBlanks), rest.size()));
            if (rest.empty()) break;
            const auto word = rest.substr(0, rest.find_first_of(kBlanks));
            rest.remove_prefix(word.size());
            const auto equals = word.find('=');
            if (equals == std::string_view::npos)
                throw fail(ErrorCode::Invalid, "# mullion: {} must be name=value", quote(word));
            const auto name = word.substr(0, equals);
            assign(settings, name, word.substr(equals + 1));
            if (!seen.emplace(name).second)
                throw fail(ErrorCode::Invalid, "# mullion: {} is given twice", name);
        }
    }
    return settings;
}

std::string step_setting_instead_of_flag(std::string_view flag) {
    for (const auto& [name, value] : kSettings)
        if (name == flag) return fmt::format("# mullion: {}={}", name, value);
    return {};
}

}  // namespace mullion::frontend
