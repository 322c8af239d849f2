// Unsigned numbers in as few bytes as they need: seven bits a byte, the lowest first (LEB128, DWARF 5 §7.6).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mullion::base {

inline void append_leb128(std::string& out, std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
    out += static_cast<char>(value);
}

// Takes one off the front of `left`; nullopt if it is cut short or needs more than 64 bits.
inline std::optional<std::uint64_t> take_leb128(std::string_view& left) {
    std::uint64_t value = 0;
    for (int shift = 0; !left.empty(); shift += 7) {
        auto part = static_cast<std::uint8_t>(left.front());
        left.remove_prefix(1);
        if (shift == 63 && part > 1) break;
        value |= std::uint64_t{part & 0x7fu} << shift;
        if ((part & 0x80) == 0) return value;
    }
    return {};
}

}  // namespace mullion::base
