// Which boot of the machine this is.
#pragma once

#include <string>

namespace mullion::cache {

// Differs between boots; "unknown" where the system does not say.
std::string boot_id();

}  // namespace mullion::cache
