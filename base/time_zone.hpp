// The process's time zone. Libraries turn times without a zone (those in zip files) into local ones; what we
// make of a file must not depend on where we are.
#pragma once

namespace mullion::base {

// From now on local time is UTC. To be called before there are threads.
void use_utc();

}  // namespace mullion::base
