// One build, from a checked request to its outputs.
#pragma once

#include "cli/build_request.hpp"
#include "cli/context.hpp"

namespace mullion::cli {

// Reports its own errors (with the Dockerfile's excerpt) and returns an exit code.
int run_build(Context& context, BuildRequest& request);

}  // namespace mullion::cli
