#include "cli/byte_text.hpp"

#include <fmt/format.h>

#include <array>

namespace mullion::cli {
namespace {

struct Scaled {
    double value;
    const char* unit;
};

// nullptr for plain bytes, which have no fraction.
Scaled scaled(double value) {
    constexpr std::array<const char*, 5> kUnits = {nullptr, "kB", "MB", "GB", "TB"};
    std::size_t unit = 0;
    for (; value >= 1000 && unit + 1 < kUnits.size(); ++unit) value /= 1000;
    return {value, kUnits[unit]};
}

constexpr double kTooSoon = 0.2;  // seconds

}  // namespace

std::string shown_bytes(std::int64_t bytes) {
    auto [value, unit] = scaled(static_cast<double>(bytes));
    return unit == nullptr ? fmt::format("{}B", bytes) : fmt::format("{:.2f}{}", value, unit);
}

std::string shown_rate(std::int64_t bytes, double seconds) {
    if (bytes <= 0 || seconds < kTooSoon) return {};
    return " " + shown_bytes(static_cast<std::int64_t>(static_cast<double>(bytes) / seconds)) + "/s";
}

std::string human_size(std::uint64_t bytes) {
    auto [value, unit] = scaled(static_cast<double>(bytes));
    return unit == nullptr ? fmt::format("{}B", bytes) : fmt::format("{:.3g}{}", value, unit);
}

}  // namespace mullion::cli
