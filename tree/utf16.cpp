#include "tree/utf16.hpp"

#include "tree/little_endian.hpp"
#include "tree/utf8.hpp"

namespace mullion::tree {
namespace {

constexpr char32_t kReplacement = 0xfffd;

}  // namespace

std::optional<std::string> to_utf16(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        CodePoint point = decode_utf8(text);
        if (!point.valid) return std::nullopt;
        if (point.value > 0xffff) {
            std::uint32_t rest = static_cast<std::uint32_t>(point.value) - 0x10000;
            put16(out, 0xd800 + (rest >> 10));
            put16(out, 0xdc00 + (rest & 0x3ff));
        } else {
            put16(out, point.value);
        }
        text.remove_prefix(point.length);
    }
    return out;
}

Utf16Text from_utf16(std::string_view bytes) {
    Utf16Text out;
    for (std::size_t at = 0; at + 2 <= bytes.size(); at += 2) {
        char32_t unit = get16(bytes, at);
        if (unit >= 0xd800 && unit < 0xdc00 && at + 4 <= bytes.size()) {
            char32_t low = get16(bytes, at + 2);
            if (low >= 0xdc00 && low < 0xe000) {
                unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
                at += 2;
            }
        }
        bool lone = unit >= 0xd800 && unit < 0xe000;
        out.valid = out.valid && !lone;
        append_utf8(out.text, lone ? kReplacement : unit);
    }
    if (bytes.size() % 2 != 0) {
        out.valid = false;
        append_utf8(out.text, kReplacement);
    }
    return out;
}

}  // namespace mullion::tree
