#include "hcs/guest/cmd/expand.hpp"

namespace mullion::cmd {
namespace {

constexpr View kModifiers = L"fdpnxsatz";

bool is_modifier(wchar_t c) {
    return c < 0x80 &&
           kModifiers.find(c >= L'A' && c <= L'Z' ? static_cast<wchar_t>(c + 32) : c) != View::npos;
}

// "12,-3": start and length of a part of a value.
struct Range {
    std::int32_t start = 0;
    std::optional<std::int32_t> length;
};

std::optional<Range> parse_range(View text) {
    Range range;
    std::size_t comma = text.find(L',');
    View start = trimmed(text.substr(0, comma));
    if (!start.empty()) {
        std::optional<std::int32_t> value = number(start);
        if (!value) return std::nullopt;
        range.start = *value;
    }
    if (comma == View::npos) return range;
    View length = trimmed(text.substr(comma + 1));
    range.length = length.empty() ? 0 : number(length);
    if (!range.length) return std::nullopt;
    return range;
}

Text part_of(View value, const Range& range) {
    auto size = static_cast<std::int64_t>(value.size());
    std::int64_t start = range.start < 0 ? size + range.start : range.start;
    start = std::min(std::max<std::int64_t>(start, 0), size);
    std::int64_t end = size;
    if (range.length) end = *range.length < 0 ? size + *range.length : start + *range.length;
    end = std::min(std::max(end, start), size);
    return Text(value.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(end - start)));
}

// Where `what` is in `text`, whatever the case.
std::size_t find_same(View text, View what, std::size_t from) {
    for (std::size_t at = from; at + what.size() <= text.size(); ++at)
        if (starts_same(text.substr(at), what)) return at;
    return View::npos;
}

Text replaced(View value, View what, View with) {
    Text result;
    if (what.size() > 1 && what[0] == L'*') {
        std::size_t at = find_same(value, what.substr(1), 0);
        if (at == View::npos) return Text(value);
        return Text(with).append(value.substr(at + what.size() - 1));
    }
    std::size_t done = 0;
    for (std::size_t at; (at = find_same(value, what, done)) != View::npos; done = at + what.size()) {
        result.append(value.substr(done, at - done)).append(with);
        check_length(result.size());
    }
    return result.append(value.substr(done));
}

// What stands behind the colon of %NAME:...%; nullopt if it is no edit.
std::optional<Text> edited(View value, View edit) {
    if (!edit.empty() && edit[0] == L'~') {
        std::optional<Range> range = parse_range(edit.substr(1));
        if (!range) return std::nullopt;
        return part_of(value, *range);
    }
    std::size_t equals = edit.find(L'=', 1);
    if (edit.empty() || equals == View::npos) return std::nullopt;
    return replaced(value, edit.substr(0, equals), edit.substr(equals + 1));
}

// "~fdpnx$PATH:" in front of the name of an argument or a loop variable.
struct PathModifiers {
    View letters, search;
    std::size_t end = 0;  // where the name is
};

PathModifiers read_modifiers(View text, std::size_t at) {
    PathModifiers found;
    std::size_t begin = at;
    while (at < text.size() && is_modifier(text[at])) ++at;
    found.letters = text.substr(begin, at - begin);
    if (at < text.size() && text[at] == L'$') {
        std::size_t colon = text.find(L':', at);
        if (colon != View::npos) {
            found.search = text.substr(at + 1, colon - at - 1);
            at = colon + 1;
        }
    }
    found.end = at;
    return found;
}

class Percents {
  public:
    Percents(View line, const Scope& scope) : line_(line), scope_(scope) {}

    Text run() {
        while (at_ < line_.size()) {
            if (line_[at_] != L'%') {
                result_ += line_[at_++];
            } else if (!(scope_.in_script() && argument()) && !variable()) {
                if (!scope_.in_script()) result_ += L'%';
                ++at_;
            }
            check_length(result_.size());
        }
        return std::move(result_);
    }

  private:
    // %%, %1, %*, %~x1; false if it is none of these.
    bool argument() {
        wchar_t next = at_ + 1 < line_.size() ? line_[at_ + 1] : L'\0';
        if (next == L'%') {
            result_ += L'%';
        } else if (next == L'*') {
            result_ += scope_.all_arguments();
        } else if (is_digit(next)) {
            result_ += scope_.argument(static_cast<std::size_t>(next - L'0'));
        } else if (next == L'~') {
            return modified_argument();
        } else {
            return false;
        }
        at_ += 2;
        return true;
    }

    bool modified_argument() {
        PathModifiers modifiers = read_modifiers(line_, at_ + 2);
        if (modifiers.end >= line_.size() || !is_digit(line_[modifiers.end])) {
            throw Failure{Text(L"The following usage of the path operator in batch-parameter\r\n"
                               L"substitution is invalid: ")
                              .append(line_.substr(at_)) +
                          L"\r\n\r\n\r\nFor valid formats type CALL /? or FOR /?"};
        }
        auto index = static_cast<std::size_t>(line_[modifiers.end] - L'0');
        Text value = modifiers.letters.empty() ? scope_.argument(index) : scope_.path_argument(index);
        result_ += scope_.path_part(value, modifiers.letters, modifiers.search);
        at_ = modifiers.end + 1;
        return true;
    }

    // %NAME% and its edits; false if the percent sign begins none.
    bool variable() {
        std::size_t begin = at_ + 1;
        std::size_t stop = line_.find_first_of(L"%:", begin);
        if (stop == View::npos || stop == begin) return false;
        bool colon_in_name = line_[stop] == L':' && stop + 1 < line_.size() && line_[stop + 1] == L'%';
        if (colon_in_name) ++stop;
        View name = line_.substr(begin, stop - begin);
        std::optional<Text> value = scope_.variable(name);
        if (line_[stop] == L'%') return plain(value, stop);
        if (!value) {
            if (!scope_.in_script()) return false;
            at_ = stop + 1;  // the name is gone, what follows the colon stays
            return true;
        }
        std::size_t end = end_of_edit(stop + 1);
        if (end == View::npos) return false;
        std::optional<Text> result = edited(*value, line_.substr(stop + 1, end - stop - 1));
        if (!result) return false;
        result_ += *result;
        at_ = end + 1;
        return true;
    }

    bool plain(const std::optional<Text>& value, std::size_t stop) {
        if (!value && !scope_.in_script()) return false;
        if (value) result_ += *value;
        at_ = stop + 1;
        return true;
    }

    // What is searched for may hold percent signs of the line's own no more than what replaces it.
    std::size_t end_of_edit(std::size_t from) const { return line_.find(L'%', from); }

    View line_;
    const Scope& scope_;
    std::size_t at_ = 0;
    Text result_;
};

}  // namespace

Text expand_percents(View line, const Scope& scope) {
    return Percents(line, scope).run();
}

namespace {

// Modifiers are letters as variables are: the longest reading whose last letter is a variable counts.
const Text* modified_loop_variable(View text, PathModifiers& modifiers, const Scope& scope) {
    while (true) {
        const Text* value = modifiers.end < text.size() ? scope.loop_variable(text[modifiers.end]) : nullptr;
        if (value) return value;
        if (modifiers.letters.empty() || !modifiers.search.empty()) return nullptr;
        modifiers.letters.remove_suffix(1);
        --modifiers.end;
    }
}

}  // namespace

Text expand_loop_variables(View text, const Scope& scope) {
    Text result;
    for (std::size_t at = 0; at < text.size(); check_length(result.size())) {
        wchar_t next = text[at] == L'%' && at + 1 < text.size() ? text[at + 1] : L'\0';
        if (next == L'~') {
            PathModifiers modifiers = read_modifiers(text, at + 2);
            if (const Text* value = modified_loop_variable(text, modifiers, scope)) {
                result += scope.path_part(*value, modifiers.letters, modifiers.search);
                at = modifiers.end + 1;
                continue;
            }
        } else if (next != L'\0') {
            if (const Text* value = scope.loop_variable(next)) {
                result += *value;
                at += 2;
                continue;
            }
        }
        result += text[at++];
    }
    return result;
}

namespace {

// At the first "!": the value, and `at` behind the second.
Text delayed_value(View text, std::size_t& at, const Scope& scope) {
    std::size_t begin = at + 1;
    std::size_t end = text.find(L'!', begin);
    if (end == View::npos ||
        end == begin) {  // one alone is dropped, of several only the last can begin a name
        ++at;
        return {};
    }
    View inner = text.substr(begin, end - begin);
    at = end + 1;
    if (std::optional<Text> whole = scope.variable(inner)) return *whole;
    std::size_t colon = inner.find(L':');
    std::optional<Text> value = scope.variable(inner.substr(0, colon));
    if (!value) return scope.in_script() ? Text() : Text(text.substr(begin - 1, at - begin + 1));
    return edited(*value, inner.substr(colon + 1)).value_or(Text());
}

}  // namespace

Text expand_delayed(View text, const Scope& scope) {
    if (text.find(L'!') == View::npos) return Text(text);
    Text result;
    for (std::size_t at = 0; at < text.size(); check_length(result.size())) {
        if (text[at] == L'^' && at + 1 < text.size()) {
            result += text[at + 1];
            at += 2;
        } else if (text[at] == L'^') {
            ++at;
        } else if (text[at] == L'!') {
            result += delayed_value(text, at, scope);
        } else {
            result += text[at++];
        }
    }
    return result;
}

}  // namespace mullion::cmd
