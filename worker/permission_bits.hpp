// `--chmod`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tree/metadata.hpp"

namespace mullion::worker {

// The bits of an octal mode for a Linux image. Unsupported for a Windows image, whose files have no
// permission bits, and for symbolic modes; Invalid for anything that is no mode.
std::optional<std::uint32_t> permission_bits(tree::Os os, const std::optional<std::string>& mode);

}  // namespace mullion::worker
