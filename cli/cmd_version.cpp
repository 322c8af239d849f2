#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"

namespace mullion::cli {

void add_version(CLI::App& app, Context& context) {
    CLI::App* command = app.add_subcommand("version", "Print the version");
    command->callback([&context] {
        context.action = [] {
            fmt::print("mullion {}\n", MULLION_VERSION);
            return kSuccess;
        };
    });
}

}  // namespace mullion::cli
