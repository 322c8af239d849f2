// Numbers in Windows' binary structures. Internal to the room; callers check the bounds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace mullion::tree {

inline void put16(std::string& out, std::size_t value) {
    out += static_cast<char>(value & 0xff);
    out += static_cast<char>(value >> 8 & 0xff);
}

inline void put32(std::string& out, std::uint32_t value) {
    put16(out, value & 0xffff);
    put16(out, value >> 16);
}

inline void put64(std::string& out, std::uint64_t value) {
    put32(out, static_cast<std::uint32_t>(value));
    put32(out, static_cast<std::uint32_t>(value >> 32));
}

inline void set32(std::string& out, std::size_t at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) out[at + static_cast<std::size_t>(i)] = static_cast<char>(value >> 8 * i);
}

inline std::uint32_t get16(std::string_view data, std::size_t at) {
    return static_cast<std::uint8_t>(data[at]) |
           static_cast<std::uint32_t>(static_cast<std::uint8_t>(data[at + 1])) << 8;
}

inline std::uint32_t get32(std::string_view data, std::size_t at) {
    return get16(data, at) | get16(data, at + 2) << 16;
}

inline std::uint64_t get64(std::string_view data, std::size_t at) {
    return get32(data, at) | static_cast<std::uint64_t>(get32(data, at + 4)) << 32;
}

}  // namespace mullion::tree
