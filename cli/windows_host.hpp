// The Windows whose containers this program runs.
#pragma once

#include <optional>

#include "oci/isolation.hpp"

namespace mullion::cli {

// nullopt on Linux: the emulation runs images of every version.
std::optional<oci::WindowsHost> windows_host();

}  // namespace mullion::cli
