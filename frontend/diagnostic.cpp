#include "frontend/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <optional>
#include <vector>

#include "frontend/text_lines.hpp"

namespace mullion::frontend {

namespace {

constexpr int kMaxShown = 100;               // of an instruction longer than this only the beginning
constexpr std::size_t kMaxLineShown = 1000;  // and of such a line

std::string shown_line(std::string_view line) {
    if (line.size() <= kMaxLineShown) return std::string(line);
    auto end = kMaxLineShown;
    while (end > 0 && (static_cast<unsigned char>(line[end]) & 0xC0) == 0x80) --end;
    return std::string(line.substr(0, end)) + "...";
}

bool is_word_end(std::string_view line, std::size_t at) {
    constexpr std::string_view inside = "_-.$/\\:%@";
    if (at >= line.size()) return true;
    const auto c = static_cast<unsigned char>(line[at]);
    return c < 0x80 && std::isalnum(c) == 0 && inside.find(line[at]) == std::string_view::npos;
}

bool equal_character(char a, char b) {
    const auto plain = [](char c) { return c == '\\' ? '/' : std::tolower(static_cast<unsigned char>(c)); };
    return plain(a) == plain(b);
}

// Where `subject` begins in the line, first as a whole word, then anywhere.
std::optional<std::size_t> find_subject(std::string_view line, std::string_view subject) {
    std::optional<std::size_t> anywhere;
    for (std::size_t at = 0; at + subject.size() <= line.size(); ++at) {
        if (!std::equal(subject.begin(), subject.end(), line.begin() + static_cast<std::ptrdiff_t>(at),
                        equal_character))
            continue;
        if ((at == 0 || is_word_end(line, at - 1)) && is_word_end(line, at + subject.size())) return at;
        if (!anywhere) anywhere = at;
    }
    return anywhere;
}

// Columns count characters, not bytes.
int column(std::string_view line, std::size_t offset) {
    return 1 +
           static_cast<int>(std::count_if(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(offset),
                                          [](char c) { return (c & 0xC0) != 0x80; }));
}

void set_columns(base::SourceRange& range, std::string_view line, std::size_t begin, std::size_t end) {
    range.first_column = column(line, begin);
    range.last_column = std::max(range.first_column, column(line, end) - 1);
}

// Under a marked line: blanks up to the first column, then "^~~~". Tabs stay tabs, so that it lines up.
std::string caret_line(std::string_view line, const base::SourceRange& range) {
    std::string out = "      |     ";
    int at = 1;
    for (const char c : line) {
        if (at == range.first_column) break;
        if ((c & 0xC0) == 0x80) continue;
        out += c == '\t' ? '\t' : ' ';
        ++at;
    }
    return out + '^' + std::string(static_cast<std::size_t>(range.last_column - range.first_column), '~') +
           '\n';
}

}  // namespace

base::SourceRange narrowed(std::string_view text, base::SourceRange range, std::string_view subject) {
    const auto lines = lines_of(text);
    const int last = std::min(range.last_line, static_cast<int>(lines.size()));
    if (range.first_line < 1 || range.first_line > last || subject.find('\n') != std::string_view::npos)
        return range;
    for (int number = range.first_line; number <= last && !subject.empty(); ++number) {
        const auto line = lines[static_cast<std::size_t>(number - 1)];
        const auto found = find_subject(line, subject);
        if (!found) continue;
        range.first_line = range.last_line = number;
        set_columns(range, line, *found, *found + subject.size());
        return range;
    }
    const auto line = lines[static_cast<std::size_t>(last - 1)];
    const auto begin = line.find_first_not_of(" \t");
    if (range.first_line == last && begin != std::string_view::npos)
        set_columns(range, line, begin, line.find_last_not_of(" \t") + 1);
    return range;
}

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
    auto out = fmt::format("{}:{}", range.file, first);
    if (range.first_column > 0) out += fmt::format(":{}", range.first_column);
    out += fmt::format("\n{}", rule);
    for (int number = begin; number <= end; ++number) {
        const bool marked = number >= first && number <= last;
        const auto line = lines[static_cast<std::size_t>(number - 1)];
        out += fmt::format(" {:>3} | {} {}\n", number, marked ? ">>>" : "   ", shown_line(line));
        if (number == first && range.first_column > 0 && line.size() <= kMaxLineShown)
            out += caret_line(line, range);
    }
    out += rule;
    return out;
}

}  // namespace mullion::frontend
