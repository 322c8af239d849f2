// `run [OPTIONS] IMAGE [COMMAND] [ARGUMENT...]`: what follows IMAGE belongs to the container, options
// included.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace mullion::cli {

// `arguments` (without the program's name) with "--" put before IMAGE if they call `run`, so that CLI11
// leaves the rest alone; unchanged otherwise.
std::vector<std::string> protect_run_arguments(const CLI::App& app, std::vector<std::string> arguments);

}  // namespace mullion::cli
