#include "cli/table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace mullion::cli {
namespace {

std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string plural(std::int64_t count, const char* unit) {
    return fmt::format("{} {}{} ago", count, unit, count == 1 ? "" : "s");
}

}  // namespace

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    }
    std::string text;
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += row[i];
            if (i + 1 < row.size()) text.append(widths[i] - width(row[i]) + 3, ' ');
        }
        text += '\n';
    }
    return text;
}

std::string human_age(std::int64_t seconds) {
    static constexpr std::pair<std::int64_t, const char*> kUnits[] = {
        {365 * 86400, "year"}, {30 * 86400, "month"}, {7 * 86400, "week"},
        {86400, "day"},        {3600, "hour"},        {60, "minute"}};
    for (auto [length, name] : kUnits) {
        if (seconds >= length) return plural(seconds / length, name);
    }
    return seconds < 0 ? "in the future" : plural(seconds, "second");
}

}  // namespace mullion::cli
