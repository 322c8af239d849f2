#include "base/file_time.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "base/error.hpp"

namespace mullion::base {
namespace {

using Days = std::chrono::sys_days;

std::int64_t floor_div(std::int64_t value, std::int64_t by) {
    return value / by - (value % by < 0 ? 1 : 0);
}

[[noreturn]] void bad(const std::string& text) {
    throw fail(ErrorCode::Invalid, "\"{}\" is not an RFC 3339 time", text.substr(0, 64));
}

// Reads ".123456789" (any number of digits) into ticks; advances `at`.
std::int64_t parse_fraction(const std::string& text, std::size_t& at) {
    if (at >= text.size() || text[at] != '.') return 0;
    std::int64_t ticks = 0;
    std::int64_t unit = FileTime::kTicksPerSecond / 10;
    std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10) {
        ticks += unit * (text[at] - '0');
    }
    if (at == first) bad(text);
    return ticks;
}

std::int64_t parse_offset_seconds(const std::string& text, std::size_t at) {
    if (text.compare(at, std::string::npos, "Z") == 0 || text.compare(at, std::string::npos, "z") == 0)
        return 0;
    int hours = 0;
    int minutes = 0;
    int used = 0;
    if (text.size() - at != 6 || (text[at] != '+' && text[at] != '-') ||
        std::sscanf(text.c_str() + at + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 5) {
        bad(text);
    }
    int sign = text[at] == '-' ? -1 : 1;
    return sign * (hours * 3600 + minutes * 60);
}

}  // namespace

FileTime FileTime::from_timespec(const timespec& time) {
    return {time.tv_sec * kTicksPerSecond + time.tv_nsec / 100};
}

FileTime FileTime::now() {
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return from_timespec(time);
}

FileTime FileTime::parse_rfc3339(const std::string& text) {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
    if (text.size() > 64 ||
        std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
                    &second, &used) != 6 ||
        used != 19) {
        bad(text);
    }
    std::chrono::year_month_day date{std::chrono::year(year),
                                     std::chrono::month(static_cast<unsigned>(month)),
                                     std::chrono::day(static_cast<unsigned>(day))};
    if (!date.ok() || hour > 23 || minute > 59 || second > 60) bad(text);
    std::size_t at = 19;
    std::int64_t fraction = parse_fraction(text, at);
    std::int64_t seconds = Days(date).time_since_epoch().count() * std::int64_t{86400} + hour * 3600 +
                           minute * 60 + second - parse_offset_seconds(text, at);
    return {seconds * kTicksPerSecond + fraction};
}

timespec FileTime::to_timespec() const {
    timespec time{};
    time.tv_sec = seconds();
    time.tv_nsec = (ticks - time.tv_sec * kTicksPerSecond) * 100;
    return time;
}

std::int64_t FileTime::seconds() const {
    return floor_div(ticks, kTicksPerSecond);
}

std::string FileTime::rfc3339() const {
    std::int64_t whole = seconds();
    std::int64_t day = floor_div(whole, 86400);
    auto rest = static_cast<int>(whole - day * 86400);
    std::chrono::year_month_day date{Days(std::chrono::days(day))};
    std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(date.year()),
                                   static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                                   rest / 3600, rest / 60 % 60, rest % 60);
    if (std::int64_t fraction = ticks - whole * kTicksPerSecond; fraction != 0) {
        std::string digits = fmt::format("{:07}", fraction);
        digits.erase(digits.find_last_not_of('0') + 1);
        text += "." + digits;
    }
    return text + "Z";
}

}  // namespace mullion::base
