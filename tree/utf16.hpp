// UTF-16LE as Windows stores it, to and from UTF-8.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mullion::tree {

// The bytes of `text`; nullopt if it is not UTF-8.
std::optional<std::string> to_utf16(std::string_view text);

struct Utf16Text {
    std::string text;   // UTF-8; what is no UTF-16 is U+FFFD
    bool valid = true;  // no lone surrogate, no odd byte
};
Utf16Text from_utf16(std::string_view bytes);

}  // namespace mullion::tree
