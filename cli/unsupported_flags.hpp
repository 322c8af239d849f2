// Flags of `docker buildx build` that we know and cannot serve.
#pragma once

#include "cli/build_request.hpp"

namespace mullion::cli {

// Throws Unsupported for the first that asks for something, saying why and what to do instead. Attestations
// that are switched off ask for nothing.
void refuse_unsupported_flags(const BuildFlags& flags);

}  // namespace mullion::cli
