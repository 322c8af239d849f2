// UTF-8, as far as names need it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mullion::tree {

// What a text starts with. A byte that is not part of valid UTF-8 (RFC 3629: no surrogates, no overlong
// forms) stands for itself, with `length` 1 and a `value` that no valid text contains.
struct CodePoint {
    char32_t value = 0;
    std::size_t length = 0;
    bool valid = false;
};

// `text` must not be empty.
CodePoint decode_utf8(std::string_view text);
// `point` must be a valid code point.
void append_utf8(std::string& text, char32_t point);

}  // namespace mullion::tree
