// What a container has used, in a few words.
#pragma once

#include <string>

#include "base/progress.hpp"

namespace mullion::cli {

// "0.81s of processor time, 34.5MB of memory at most, 1.2MB read, 3MB written", as far as it is known; "" if
// nothing is.
std::string usage_text(const base::ResourceUsage& usage);

}  // namespace mullion::cli
