// The subcommands of `mullion dockerfile`, one file each.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/context.hpp"

namespace mullion::cli {

void add_dockerfile_check(CLI::App& group, Context& context);
void add_dockerfile_ignore(CLI::App& group, Context& context);
void add_dockerfile_outline(CLI::App& group, Context& context);
void add_dockerfile_targets(CLI::App& group, Context& context);

}  // namespace mullion::cli
