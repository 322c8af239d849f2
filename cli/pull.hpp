// Pulling with its progress on the terminal, for the commands that do it.
#pragma once

#include "cli/context.hpp"
#include "cli/display.hpp"
#include "worker/pull.hpp"

namespace mullion::cli {

worker::PulledImage pull_shown(Context& context, const worker::PullRequest& request, DisplayMode mode);

}  // namespace mullion::cli
