#include "frontend/swallowed_line.hpp"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

std::string_view last_word(std::string_view line) {
    const auto blank = line.find_last_of(" \t\"'=;,");
    return blank == std::string_view::npos ? line : line.substr(blank + 1);
}

bool begins_instruction(std::string_view line) {
    line = trim_left(line);
    const auto name = upper_ascii(line.substr(0, line.find_first_of(" \t")));
    static const std::set<std::string_view> names{
        "ADD",    "ARG",   "CMD",         "COPY",  "ENTRYPOINT", "ENV",
        "EXPOSE", "FROM",  "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
        "RUN",    "SHELL", "STOPSIGNAL",  "USER",  "VOLUME",     "WORKDIR"};
    return names.contains(name);
}

// `line` ends in the backslash that continues it.
bool ends_in_path(std::string_view line, std::string_view next) {
    const auto word = last_word(line.substr(0, line.size() - 1));
    const bool drive =
        word.size() >= 2 && word[1] == ':' && std::isalpha(static_cast<unsigned char>(word[0])) != 0;
    if (word.empty() || (!drive && word.find('\\') == std::string_view::npos)) return false;
    // "C:\setup.exe\" may be a file and a continuation without a blank, unless an instruction follows.
    const auto element = word.substr(word.find_last_of('\\') + 1);
    return element.find('.') == std::string_view::npos || begins_instruction(next);
}

}  // namespace

std::optional<int> line_swallowing_next(const std::vector<std::string_view>& lines, int first, int last) {
    last = std::min(last, static_cast<int>(lines.size()));
    for (int number = std::max(first, 1); number < last; ++number) {
        auto line = lines[static_cast<std::size_t>(number - 1)];
        if (trim_left(line).starts_with('#')) continue;
        line = line.substr(0, line.find_last_not_of(" \t") + 1);
        if (!line.ends_with('\\') || line.ends_with("\\\\")) continue;
        if (ends_in_path(line, lines[static_cast<std::size_t>(number)])) return number;
    }
    return std::nullopt;
}

}  // namespace mullion::frontend
