#include "frontend/source_text.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "frontend/unicode.hpp"

namespace mullion::frontend {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kDirectiveSpace = "\t\n\f\r ";

std::string_view without_line_end(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

std::string_view strip(std::string_view text) {
    const auto first = text.find_first_not_of(kDirectiveSpace);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kDirectiveSpace) - first + 1);
}

bool is_directive_name(std::string_view name) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    });
}

}  // namespace

SourceText::SourceText(std::string_view text, std::string file) : text_(text), file_(std::move(file)) {
    if (text_.size() > kMaxSize)
        throw base::fail(base::ErrorCode::Invalid, "{} is larger than {} MiB", file_, kMaxSize >> 20);
    if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
}

std::optional<std::string_view> SourceText::physical_line() {
    if (at_ == text_.size() || too_long_) return std::nullopt;
    const auto line_feed = text_.find('\n', at_);
    const auto end = line_feed == std::string_view::npos ? text_.size() : line_feed;
    if (end - at_ > kMaxLine) {
        too_long_ = true;
        return std::nullopt;
    }
    const auto line = text_.substr(at_, std::min(end + 1, text_.size()) - at_);
    at_ += line.size();
    ++line_;
    return line;
}

// Directives stand at the very top: the first line that is none ends the zone.
bool SourceText::directive(std::string_view line) {
    if (!in_directives_) return false;
    in_directives_ = false;
    if (!line.starts_with('#')) return false;
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return false;
    const auto name = strip(line.substr(1, equals - 1));
    const auto value = strip(line.substr(equals + 1));
    if (!is_directive_name(name) || value.empty()) return false;
    const auto key = lower(name);
    if (key != "escape" && key != "syntax" && key != "check") return false;
    in_directives_ = true;
    set_directive(key, value);
    return true;
}

void SourceText::set_directive(std::string_view name, std::string_view value) {
    using base::ErrorCode;
    if (std::find(seen_directives_.begin(), seen_directives_.end(), name) != seen_directives_.end())
        throw base::fail(ErrorCode::Invalid, "only one {} parser directive can be used", name)
            .at(range(line_, line_));
    seen_directives_.emplace_back(name);
    if (name == "syntax") {
        directives_.syntax = std::string(value.substr(0, value.find(' ')));
    } else if (name == "check") {
        directives_.check = std::string(value);
        directives_.check_line = line_;
    } else if (value == "\\" || value == "`") {
        directives_.escape = value[0];
    } else {
        throw base::fail(ErrorCode::Invalid, "invalid escape token '{}' does not match ` or \\", value)
            .at(range(line_, line_))
            .about(value);
    }
}

void SourceText::comment(std::string_view line) {
    const auto text = trim(line.substr(1));
    if (text.empty())
        comments_.clear();
    else
        comments_.emplace_back(text);
}

// Does the line end in an escape character that continues it? Then it and the blanks behind it go.
bool SourceText::continued(std::string_view& line) const {
    const char escape = directives_.escape;
    const auto last = line.find_last_not_of(" \t");
    if (last == std::string_view::npos || line[last] != escape) return false;
    if (last > 0 && line[last - 1] == escape) return false;
    line = line.substr(0, last);
    return true;
}

std::optional<LogicalLine> SourceText::next() {
    while (const auto physical = physical_line()) {
        auto text = trim_left(without_line_end(*physical));
        if (text.starts_with('#')) {
            if (!directive(text)) comment(text);
            continue;
        }
        in_directives_ = false;
        const bool open = continued(text);
        if (text.empty() && !open) continue;
        LogicalLine line;
        line.text = text;
        line.first_line = line_;
        if (open) join(line);
        line.last_line = line_;
        line.comments = std::exchange(comments_, {});
        return line;
    }
    return std::nullopt;
}

// Appends the lines that continue `line`.
void SourceText::join(LogicalLine& line) {
    joined_.assign(line.text);
    for (bool open = true; open;) {
        const auto physical = physical_line();
        if (!physical) break;
        auto text = without_line_end(*physical);
        const auto stripped = trim_left(text);
        if (stripped.starts_with('#')) continue;
        if (stripped.empty()) {
            line.empty_continuation = true;
            continue;
        }
        open = continued(text);
        joined_ += text;
    }
    line.text = joined_;
}

std::optional<std::string_view> SourceText::heredoc_body(std::string_view terminator, bool chomp) {
    const auto begin = at_;
    while (const auto physical = physical_line()) {
        auto line = without_line_end(*physical);
        if (chomp) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
        if (line == terminator) return text_.substr(begin, at_ - physical->size() - begin);
    }
    return std::nullopt;
}

}  // namespace mullion::frontend
