#include <time.h>

#include <cstdlib>

#include "base/time_zone.hpp"

namespace mullion::base {

void use_utc() {
    ::_putenv("TZ=UTC0");
    ::_tzset();
}

}  // namespace mullion::base
