#include "hcs/guest/cmd/text.hpp"

#include <algorithm>
#include <cwctype>
#include <limits>

namespace mullion::cmd {

void fail_syntax() {
    throw Failure{L"The syntax of the command is incorrect."};
}

void fail_unexpected(View what) {
    throw Failure{Text(what) + L" was unexpected at this time."};
}

void check_length(std::size_t length) {
    if (length > kLongestLine) throw Failure{L"The input line is too long."};
}

wchar_t upper(wchar_t c) {
    return c < 0x80 ? (c >= L'a' && c <= L'z' ? static_cast<wchar_t>(c - L'a' + L'A') : c)
                    : static_cast<wchar_t>(std::towupper(static_cast<std::wint_t>(c)));
}

bool same(View a, View b) {
    return a.size() == b.size() && starts_same(a, b);
}

bool starts_same(View text, View prefix) {
    if (text.size() < prefix.size()) return false;
    for (std::size_t i = 0; i < prefix.size(); ++i)
        if (upper(text[i]) != upper(prefix[i])) return false;
    return true;
}

bool is_blank(wchar_t c) {
    return c == L' ' || c == L'\t';
}

bool is_delimiter(wchar_t c) {
    return is_blank(c) || c == L',' || c == L';' || c == L'=';
}

bool is_digit(wchar_t c) {
    return c >= L'0' && c <= L'9';
}

View trimmed(View text) {
    while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
    return text;
}

View without_leading_delimiters(View text) {
    while (!text.empty() && is_delimiter(text.front())) text.remove_prefix(1);
    return text;
}

Text unquoted(View text) {
    Text result;
    for (wchar_t c : text)
        if (c != L'"') result += c;
    return result;
}

View without_outer_quotes(View text) {
    if (!text.empty() && text.front() == L'"') {
        text.remove_prefix(1);
        if (!text.empty() && text.back() == L'"') text.remove_suffix(1);
    }
    return text;
}

std::vector<Text> words(View text) {
    std::vector<Text> result;
    bool quoted = false, in_word = false;
    for (wchar_t c : text) {
        if (!quoted && is_delimiter(c)) {
            in_word = false;
            continue;
        }
        if (!in_word) result.emplace_back();
        in_word = true;
        if (c == L'"') quoted = !quoted;
        result.back() += c;
    }
    return result;
}

Text decimal(std::int64_t value) {
    return std::to_wstring(value);
}

std::optional<std::int64_t> wide_number(View text) {
    bool negative = !text.empty() && text[0] == L'-';
    if (!text.empty() && (text[0] == L'-' || text[0] == L'+')) text.remove_prefix(1);
    int base = 10;
    if (starts_same(text, L"0x")) {
        base = 16;
        text.remove_prefix(2);
    } else if (text.size() > 1 && text[0] == L'0') {
        base = 8;
    }
    if (text.empty()) return std::nullopt;
    constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();
    std::int64_t value = 0;
    for (wchar_t c : text) {
        wchar_t up = upper(c);
        int digit = is_digit(c) ? c - L'0' : up >= L'A' && up <= L'F' ? up - L'A' + 10 : 99;
        if (digit >= base) return std::nullopt;
        value = value > (kLargest - digit) / base ? kLargest : value * base + digit;
    }
    return negative ? -value : value;
}

std::optional<std::int32_t> number(View text) {
    using Limits = std::numeric_limits<std::int32_t>;
    std::optional<std::int64_t> wide = wide_number(text);
    if (!wide) return std::nullopt;
    return static_cast<std::int32_t>(std::clamp<std::int64_t>(*wide, Limits::min(), Limits::max()));
}

bool has_wildcard(View path) {
    return path.find_first_of(L"*?") != View::npos;
}

namespace {

// "*" and the character behind it: everything up to the last such character, that included.
void take_through(View name, std::size_t& at, wchar_t last, Text& result) {
    std::size_t found = name.rfind(last);
    std::size_t end = found == View::npos || found < at ? name.size() : found + 1;
    result += name.substr(at, end - at);
    if (found == View::npos || found < at) result += last;
    at = end;
}

}  // namespace

Text renamed(View name, View pattern) {
    Text result;
    std::size_t at = 0;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        wchar_t c = pattern[i];
        if (c == L'*' && i + 1 == pattern.size()) {
            result += name.substr(at);
            at = name.size();
        } else if (c == L'*') {
            take_through(name, at, pattern[++i], result);
        } else if (c == L'?') {
            if (at < name.size() && name[at] != L'.') result += name[at++];
        } else if (c == L'.') {
            while (at < name.size() && name[at] != L'.') ++at;
            if (at < name.size()) ++at;
            result += c;
        } else {
            if (at < name.size() && name[at] != L'.') ++at;
            result += c;
        }
    }
    while (!result.empty() && (result.back() == L'.' || result.back() == L' ')) result.pop_back();
    return result;
}

}  // namespace mullion::cmd
