// Parts of the checks of a Linux host (cli/doctor_checks.hpp).
#pragma once

#include <vector>

#include "cli/doctor_checks.hpp"

namespace mullion::cli {

// What the kernel has to let us do.
std::vector<Check> kernel_checks(Context& context);
// Wine, and whether a container works with it.
std::vector<Check> wine_checks(Context& context);

}  // namespace mullion::cli
