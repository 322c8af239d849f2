#include "frontend/byte_size.hpp"

#include <algorithm>
#include <charconv>

#include "frontend/unicode.hpp"

namespace mullion::frontend {

std::optional<std::uint64_t> parse_byte_size(std::string_view text) {
    auto suffix = lower(text.substr(std::min(text.find_first_not_of("0123456789."), text.size())));
    const auto number = text.substr(0, text.size() - suffix.size());
    suffix.erase(0, suffix.starts_with(' ') ? 1 : 0);
    if (suffix.ends_with("ib")) suffix.resize(suffix.size() - 2);
    if (suffix.ends_with('b')) suffix.pop_back();
    const auto unit = std::string_view("kmgtp").find(suffix);
    if (suffix.size() > 1 || unit == std::string_view::npos) return std::nullopt;
    const auto power = suffix.empty() ? 0 : unit + 1;
    double value = 0;
    const auto* end = number.data() + number.size();
    const auto [stop, error] = std::from_chars(number.data(), end, value);
    if (error != std::errc() || stop != end || value > 1e15) return std::nullopt;
    for (std::size_t i = 0; i < power; ++i) value *= 1024;
    return value < 9e18 ? std::optional(static_cast<std::uint64_t>(value)) : std::nullopt;
}

}  // namespace mullion::frontend
