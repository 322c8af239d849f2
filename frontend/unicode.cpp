#include "frontend/unicode.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "frontend/unicode_tables.hpp"

namespace mullion::frontend {

namespace {

CharacterClass class_of(char32_t c) {
    const auto* end = tables::kClasses + tables::kClassCount;
    const auto* range =
        std::upper_bound(tables::kClasses, end, c,
                         [](char32_t value, const tables::ClassRange& r) { return value < r.first; });
    if (range == tables::kClasses) return CharacterClass::Other;
    --range;
    return c <= range->last ? range->kind : CharacterClass::Other;
}

bool is_continuation(char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

// The named escape of a character, or 0.
char short_escape(char32_t c) {
    switch (c) {
        case '\a':
            return 'a';
        case '\b':
            return 'b';
        case '\f':
            return 'f';
        case '\n':
            return 'n';
        case '\r':
            return 'r';
        case '\t':
            return 't';
        case '\v':
            return 'v';
        case '\\':
            return '\\';
        case '"':
            return '"';
        default:
            return 0;
    }
}

}  // namespace

Decoded decode(std::string_view text) {
    if (text.empty()) return {0, 0, true};
    const auto first = static_cast<unsigned char>(text[0]);
    if (first < 0x80) return {first, 1, true};
    const Decoded invalid{kReplacement, 1, false};
    const std::size_t width = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || text.size() < width) return invalid;
    char32_t value = first & (0xFF >> (width + 1));
    for (std::size_t i = 1; i < width; ++i) {
        if (!is_continuation(text[i])) return invalid;
        value = value << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
    }
    const char32_t smallest = width == 4 ? 0x10000 : width == 3 ? 0x800 : 0x80;
    if (value < smallest || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return invalid;
    return {value, width, true};
}

std::u32string decode_all(std::string_view text) {
    std::u32string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto next = decode(text);
        out.push_back(next.code_point);
        text.remove_prefix(next.width);
    }
    return out;
}

void append_utf8(std::string& out, char32_t c) {
    if (c < 0x80) {
        out.push_back(static_cast<char>(c));
    } else if (c < 0x800) {
        out.push_back(static_cast<char>(0xC0 | c >> 6));
        out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        out.push_back(static_cast<char>(0xE0 | c >> 12));
        out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
        out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
    } else {
        out.push_back(static_cast<char>(0xF0 | c >> 18));
        out.push_back(static_cast<char>(0x80 | (c >> 12 & 0x3F)));
        out.push_back(static_cast<char>(0x80 | (c >> 6 & 0x3F)));
        out.push_back(static_cast<char>(0x80 | (c & 0x3F)));
    }
}

std::string encode(std::u32string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char32_t c : text) append_utf8(out, c);
    return out;
}

bool is_space(char32_t c) {
    if (c < 0x80) return c == ' ' || (c >= '\t' && c <= '\r');
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_letter(char32_t c) {
    if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return class_of(c) == CharacterClass::Letter;
}

bool is_digit(char32_t c) {
    if (c < 0x80) return c >= '0' && c <= '9';
    return class_of(c) == CharacterClass::Digit;
}

bool is_printable(char32_t c) {
    if (c < 0x80) return c >= 0x20 && c < 0x7F;
    return class_of(c) != CharacterClass::Other;
}

char32_t to_lower(char32_t c) {
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c;
    const auto* end = tables::kLower + tables::kLowerCount;
    const auto* range = std::upper_bound(
        tables::kLower, end, c, [](char32_t value, const tables::LowerRange& r) { return value < r.first; });
    if (range == tables::kLower) return c;
    --range;
    if (c > range->last || (c - range->first) % range->stride != 0) return c;
    return static_cast<char32_t>(static_cast<std::int32_t>(c) + range->delta);
}

std::string_view trim_left(std::string_view text) {
    while (!text.empty()) {
        const auto next = decode(text);
        if (!next.valid || !is_space(next.code_point)) break;
        text.remove_prefix(next.width);
    }
    return text;
}

std::string_view trim(std::string_view text) {
    text = trim_left(text);
    while (!text.empty()) {
        std::size_t start = text.size() - 1;
        while (start > 0 && text.size() - start < 4 && is_continuation(text[start])) --start;
        const auto last = decode(text.substr(start));
        if (!last.valid || start + last.width != text.size() || !is_space(last.code_point)) break;
        text.remove_suffix(last.width);
    }
    return text;
}

std::string lower(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto next = decode(text);
        if (next.valid)
            append_utf8(out, to_lower(next.code_point));
        else
            out.push_back(text[0]);
        text.remove_prefix(next.width);
    }
    return out;
}

std::string upper_ascii(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - ('a' - 'A'));
    return out;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return lower(a) == lower(b);
}

std::string quote(std::string_view text) {
    std::string out = "\"";
    while (!text.empty()) {
        const auto next = decode(text);
        const char32_t c = next.code_point;
        const char escape = short_escape(c);
        if (!next.valid) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
        } else if (escape != 0) {
            out.push_back('\\');
            out.push_back(escape);
        } else if (is_printable(c)) {
            out.append(text.substr(0, next.width));
        } else if (c < 0x80) {
            out += fmt::format("\\x{:02x}", static_cast<std::uint32_t>(c));
        } else if (c < 0x10000) {
            out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c));
        } else {
            out += fmt::format("\\U{:08x}", static_cast<std::uint32_t>(c));
        }
        text.remove_prefix(next.width);
    }
    out.push_back('"');
    return out;
}

std::string quote_list(const std::vector<std::string>& texts) {
    std::string out = "[";
    for (const auto& text : texts) {
        if (out.size() > 1) out.push_back(' ');
        out.append(quote(text));
    }
    out.push_back(']');
    return out;
}

}  // namespace mullion::frontend
