#include "frontend/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace mullion::frontend {

namespace {

constexpr int kMaxShown = 100;  // of an instruction longer than this only the beginning

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> out;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        while (line.ends_with('\r')) line.remove_suffix(1);
        out.push_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

}  // namespace

std::string excerpt(std::string_view text, const base::SourceRange& range) {
    const auto lines = lines_of(text);
    const int count = static_cast<int>(lines.size());
    const int first = range.first_line;
    if (first < 1 || first > count) return {};
    const int last = std::clamp(range.last_line, first, std::min(count, first + kMaxShown - 1));
    int begin = first;
    int end = last;
    const int budget = first == last ? 4 : 2;
    for (int used = 0; used < budget; ++used) {
        if (begin > 1) {
            --begin;
            ++used;
        }
        if (end < count) {
            ++end;
            ++used;
        }
    }
    constexpr std::string_view rule = "--------------------\n";
    auto out = fmt::format("{}:{}\n{}", range.file, first, rule);
    for (int number = begin; number <= end; ++number) {
        const bool marked = number >= first && number <= last;
        out += fmt::format(" {:>3} | {} {}\n", number, marked ? ">>>" : "   ",
                           lines[static_cast<std::size_t>(number - 1)]);
    }
    out += rule;
    return out;
}

}  // namespace mullion::frontend
