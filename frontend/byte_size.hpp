// Sizes as Dockerfiles write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace mullion::frontend {

// Bytes, or with a suffix k, m, g, t, p (powers of 1024; "b" or "ib" may follow it). nullopt for anything
// else.
std::optional<std::uint64_t> parse_byte_size(std::string_view text);

}  // namespace mullion::frontend
