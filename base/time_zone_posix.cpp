#include <time.h>

#include <cstdlib>

#include "base/time_zone.hpp"

namespace mullion::base {

void use_utc() {
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
}

}  // namespace mullion::base
