#include "frontend/duration.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <limits>

#include "base/error.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

struct Unit {
    std::string_view name;
    std::int64_t nanoseconds;
};

// Longer names first where one begins another.
constexpr std::array<Unit, 8> kUnits{{{"ns", 1},
                                      {"us", 1'000},
                                      {"\u00b5s", 1'000},
                                      {"\u03bcs", 1'000},
                                      {"ms", 1'000'000},
                                      {"s", 1'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"h", 3'600'000'000'000}}};

bool is_ascii_digit(char c) {
    return c >= '0' && c <= '9';
}

[[noreturn]] void invalid(std::string_view text) {
    throw base::fail(base::ErrorCode::Invalid, "time: invalid duration {}", quote(text)).about(text);
}

// One "12.5h" off the front, in nanoseconds.
double take_term(std::string_view& rest, std::string_view whole) {
    double number = 0;
    double scale = 1;
    bool digits = false;
    bool fraction = false;
    while (!rest.empty() && (is_ascii_digit(rest[0]) || (rest[0] == '.' && !fraction))) {
        if (rest[0] == '.') {
            fraction = true;
        } else {
            digits = true;
            number = number * 10 + (rest[0] - '0');
            if (fraction) scale *= 10;
        }
        rest.remove_prefix(1);
    }
    if (!digits) invalid(whole);
    for (const auto& unit : kUnits) {
        if (!rest.starts_with(unit.name)) continue;
        rest.remove_prefix(unit.name.size());
        return number / scale * static_cast<double>(unit.nanoseconds);
    }
    invalid(whole);
}

// "12.5" for 12'500'000 thousandths of a million.
std::string with_fraction(std::int64_t value, std::int64_t unit) {
    auto out = fmt::format("{}", value / unit);
    if (value % unit == 0) return out;
    auto digits = fmt::format("{}", unit + value % unit).substr(1);
    digits.resize(digits.find_last_not_of('0') + 1);
    return out + "." + digits;
}

}  // namespace

std::chrono::nanoseconds parse_duration(std::string_view text) {
    auto rest = text;
    const bool negative = rest.starts_with('-');
    if (negative || rest.starts_with('+')) rest.remove_prefix(1);
    if (rest == "0") return std::chrono::nanoseconds(0);
    if (rest.empty()) invalid(text);
    double total = 0;
    while (!rest.empty()) total += take_term(rest, text);
    if (total >= static_cast<double>(std::numeric_limits<std::int64_t>::max())) invalid(text);
    const auto count = static_cast<std::int64_t>(total);
    return std::chrono::nanoseconds(negative ? -count : count);
}

std::string format_duration(std::chrono::nanoseconds duration) {
    const std::int64_t count = duration.count();
    if (count < 0) return fmt::format("-{}", format_duration(-duration));
    if (count == 0) return "0s";
    if (count < 1'000) return fmt::format("{}ns", count);
    if (count < 1'000'000) return with_fraction(count, 1'000) + "\u00b5s";
    if (count < 1'000'000'000) return with_fraction(count, 1'000'000) + "ms";
    const std::int64_t seconds = count / 1'000'000'000;
    std::string out;
    if (seconds >= 3600) out += fmt::format("{}h", seconds / 3600);
    if (seconds >= 60) out += fmt::format("{}m", seconds / 60 % 60);
    return out + with_fraction(count % 60'000'000'000, 1'000'000'000) + "s";
}

}  // namespace mullion::frontend
