// The proxies that Docker's configuration has for containers ("proxies" of config.json).
#pragma once

#include "cli/key_values.hpp"

namespace mullion::cli {

// Those whose variables are not among `given`, in whatever case. A file that cannot be understood has none,
// and a warning is logged: a build may not need them.
KeyValueList configured_proxies(const KeyValueList& given);

}  // namespace mullion::cli
