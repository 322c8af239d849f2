// Bounds that several readers of images have in common.
#pragma once

#include <cstdint>

namespace mullion::oci {

// Of an uncompressed layer, in bytes: many times the largest Windows base layer. What claims to be larger is
// taken for a decompression bomb.
inline constexpr std::uint64_t kMaxLayerSize = std::uint64_t{256} << 30;

}  // namespace mullion::oci
