#include "base/file_time.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <string_view>

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

// Takes the parts of an RFC 3339 text one after the other; whatever does not fit is an error.
class Parser {
  public:
    explicit Parser(const std::string& text) : text_(text) {}

    int digits(std::size_t count, int max) {
        int value = 0;
        for (std::size_t i = 0; i < count; ++i) {
            char c = next();
            if (c < '0' || c > '9') bad(text_);
            value = value * 10 + (c - '0');
        }
        if (value > max) bad(text_);
        return value;
    }

    char any_of(std::string_view choices) {
        char c = next();
        if (choices.find(c) == std::string_view::npos) bad(text_);
        return c;
    }

    // ".123456789", any number of digits, or nothing; in ticks.
    std::int64_t fraction() {
        if (at_ >= text_.size() || text_[at_] != '.') return 0;
        std::int64_t ticks = 0;
        std::int64_t unit = FileTime::kTicksPerSecond / 10;
        std::size_t first = ++at_;
        for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_, unit /= 10) {
            ticks += unit * (text_[at_] - '0');
        }
        if (at_ == first) bad(text_);
        return ticks;
    }

    int offset_seconds() {
        char sign = any_of("Zz+-");
        if (sign == 'Z' || sign == 'z') return 0;
        int seconds = digits(2, 23) * 3600;
        any_of(":");
        seconds += digits(2, 59) * 60;
        return sign == '-' ? -seconds : seconds;
    }

    void end() const {
        if (at_ != text_.size()) bad(text_);
    }

  private:
    char next() { return at_ < text_.size() ? text_[at_++] : '\0'; }
    const std::string& text_;
    std::size_t at_ = 0;
};

// The furthest seconds whose ticks still fit.
constexpr std::int64_t kMaxSeconds = std::numeric_limits<std::int64_t>::max() / FileTime::kTicksPerSecond - 1;

}  // namespace

FileTime FileTime::from_timespec(const timespec& time) {
    return {std::clamp<std::int64_t>(time.tv_sec, -kMaxSeconds, kMaxSeconds) * kTicksPerSecond +
            time.tv_nsec / 100};
}

FileTime FileTime::now() {
    using Ticks = std::chrono::duration<std::int64_t, std::ratio<1, kTicksPerSecond>>;
    return {std::chrono::duration_cast<Ticks>(std::chrono::system_clock::now().time_since_epoch()).count()};
}

FileTime FileTime::parse_rfc3339(const std::string& text) {
    if (text.size() > 64) bad(text);
    Parser parser(text);
    std::chrono::year year(parser.digits(4, 9999));
    parser.any_of("-");
    std::chrono::month month(static_cast<unsigned>(parser.digits(2, 12)));
    parser.any_of("-");
    std::chrono::year_month_day date{year, month,
                                     std::chrono::day(static_cast<unsigned>(parser.digits(2, 31)))};
    if (!date.ok()) bad(text);
    parser.any_of("Tt ");
    std::int64_t seconds = Days(date).time_since_epoch().count() * std::int64_t{86400};
    seconds += parser.digits(2, 23) * 3600;
    parser.any_of(":");
    seconds += parser.digits(2, 59) * 60;
    parser.any_of(":");
    seconds += parser.digits(2, 60);  // 60: a leap second
    std::int64_t fraction = parser.fraction();
    seconds -= parser.offset_seconds();
    parser.end();
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
