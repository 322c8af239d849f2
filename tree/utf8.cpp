#include "tree/utf8.hpp"

#include <cstdint>

namespace mullion::tree {
namespace {

// Stray bytes become values in the range of the low surrogates, which valid UTF-8 cannot express.
constexpr char32_t kStray = 0xDC00;

struct Lead {
    std::size_t length;
    char32_t bits;
    char32_t smallest;
};

Lead lead_of(std::uint8_t byte) {
    if (byte >= 0xC2 && byte <= 0xDF) return {2, byte & 0x1Fu, 0x80};
    if (byte >= 0xE0 && byte <= 0xEF) return {3, byte & 0x0Fu, 0x800};
    if (byte >= 0xF0 && byte <= 0xF4) return {4, byte & 0x07u, 0x10000};
    return {0, 0, 0};
}

}  // namespace

CodePoint decode_utf8(std::string_view text) {
    auto first = static_cast<std::uint8_t>(text.front());
    if (first < 0x80) return {first, 1, true};
    const CodePoint stray{kStray + first, 1, false};
    Lead lead = lead_of(first);
    if (lead.length == 0 || text.size() < lead.length) return stray;
    char32_t value = lead.bits;
    for (std::size_t i = 1; i < lead.length; ++i) {
        auto byte = static_cast<std::uint8_t>(text[i]);
        if ((byte & 0xC0) != 0x80) return stray;
        value = value << 6 | (byte & 0x3Fu);
    }
    bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (value < lead.smallest || value > 0x10FFFF || surrogate) return stray;
    return {value, lead.length, true};
}

void append_utf8(std::string& text, char32_t point) {
    auto tail = [&](int shift) { text += static_cast<char>(0x80 | ((point >> shift) & 0x3F)); };
    if (point < 0x80) {
        text += static_cast<char>(point);
    } else if (point < 0x800) {
        text += static_cast<char>(0xC0 | point >> 6);
        tail(0);
    } else if (point < 0x10000) {
        text += static_cast<char>(0xE0 | point >> 12);
        tail(6);
        tail(0);
    } else {
        text += static_cast<char>(0xF0 | point >> 18);
        tail(12);
        tail(6);
        tail(0);
    }
}

}  // namespace mullion::tree
