// `build --call`: what a build would warn about, take or offer.
#pragma once

#include "cli/build_request.hpp"
#include "cli/context.hpp"

namespace mullion::cli {

// Prints the answer to standard output. Builds nothing and writes no output; a context on a server or in a
// tar is fetched for its Dockerfile. Base images count as they are in the local store or the named contexts;
// one that is not there is taken to exist with an empty configuration. Returns an exit code: kFailure if a
// check finds anything.
int run_build_call(Context& context, BuildRequest& request);

}  // namespace mullion::cli
