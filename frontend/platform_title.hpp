// Platforms in the names of steps, where a build has several (dockerfile.md §19).
#pragma once

#include <string>

#include "frontend/environment.hpp"
#include "oci/platform.hpp"

namespace mullion::frontend {

// "linux/amd64", or "linux/amd64->arm64" in a stage whose TARGET* arguments say that it builds for another
// architecture, "linux/amd64->windows/amd64" for another OS.
std::string platform_title(const oci::Platform& platform, const Environment& environment);

}  // namespace mullion::frontend
