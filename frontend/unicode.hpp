// Text as code points: decoding, the character classes the language asks about, and the quoted form of
// messages and dumps. Locale-independent.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::frontend {

inline constexpr char32_t kReplacement = 0xFFFD;

struct Decoded {
    char32_t code_point;  // kReplacement for an invalid byte
    std::size_t width;    // bytes consumed; 1 for an invalid byte, 0 at the end
    bool valid;
};

// The code point at the start of `text`. Surrogates, overlong forms and values above U+10FFFF are invalid.
Decoded decode(std::string_view text);
std::u32string decode_all(std::string_view text);  // invalid bytes become kReplacement
void append_utf8(std::string& out, char32_t code_point);
std::string encode(std::u32string_view text);

bool is_space(char32_t c);  // the White_Space property
bool is_letter(char32_t c);
bool is_digit(char32_t c);      // decimal digits of every script
bool is_printable(char32_t c);  // letters, marks, numbers, punctuation, symbols, ASCII space
char32_t to_lower(char32_t c);  // simple mapping

std::string_view trim(std::string_view text);  // white space at both ends
std::string_view trim_left(std::string_view text);
std::string lower(std::string_view text);
std::string upper_ascii(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);

// "text" between double quotes, with \a \b \f \n \r \t \v \\ \" and \x.. \u.... \U........ for what is not
// printable (dockerfile.md §4).
std::string quote(std::string_view text);
// ["a" "b"]
std::string quote_list(const std::vector<std::string>& texts);

}  // namespace mullion::frontend
