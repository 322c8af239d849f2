// Texts of the command interpreter: UTF-16 on Windows; in tests elsewhere whatever a wchar_t holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::cmd {

using Text = std::wstring;
using View = std::wstring_view;

// Windows refuses lines of more than 8191 characters. A little more does no harm, without end does.
inline constexpr std::size_t kLongestLine = 4 * 8191;

// What ends a command line or a whole script: a mistake in it. Says so as Windows does.
struct Failure {
    Text message;
};

[[noreturn]] void fail_syntax();               // "The syntax of the command is incorrect."
[[noreturn]] void fail_unexpected(View what);  // "... was unexpected at this time."
void check_length(std::size_t length);         // throws Failure: "The input line is too long."

wchar_t upper(wchar_t c);
bool same(View a, View b);  // whatever the case
bool starts_same(View text, View prefix);
bool is_blank(wchar_t c);      // space, tab
bool is_delimiter(wchar_t c);  // what separates words: blanks , ; =
bool is_digit(wchar_t c);
View trimmed(View text);  // no blanks at either end
View without_leading_delimiters(View text);
Text unquoted(View text);  // without any quote
View without_outer_quotes(View text);
std::vector<Text> words(View text);  // separated by delimiters outside quotes; quotes stay
Text decimal(std::int64_t value);

// A number as strtoll reads it (decimal, 0x, leading 0), all of `text`; nullopt if it is none.
std::optional<std::int64_t> wide_number(View text);
// The same as strtol does: what is out of its range is the nearest number in it.
std::optional<std::int32_t> number(View text);

bool has_wildcard(View path);

// The name that `pattern` makes of `name`: what `ren *.txt *.bak` does to each file.
Text renamed(View name, View pattern);

}  // namespace mullion::cmd
