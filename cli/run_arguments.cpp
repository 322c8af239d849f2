#include "cli/run_arguments.hpp"

#include <algorithm>

namespace mullion::cli {
namespace {

bool is_option(const std::string& argument) {
    return argument.size() > 1 && argument.front() == '-';
}

// Does this option take its value from the next argument?
bool takes_next(const CLI::App& app, const CLI::App* command, const std::string& argument) {
    if (argument.find('=') != std::string::npos && argument.starts_with("--")) return false;
    // "-eX=1" carries its value.
    std::string name = argument.starts_with("--") ? argument : argument.substr(0, 2);
    if (!argument.starts_with("--") && argument.size() > 2) return false;
    const CLI::Option* option = command == nullptr ? nullptr : command->get_option_no_throw(name);
    if (option == nullptr) option = app.get_option_no_throw(name);
    return option != nullptr && option->get_items_expected_max() > 0;
}

}  // namespace

std::vector<std::string> protect_run_arguments(const CLI::App& app, std::vector<std::string> arguments) {
    const CLI::App* run = nullptr;
    for (auto at = arguments.begin(); at != arguments.end(); ++at) {
        if (*at == "--") return arguments;
        if (is_option(*at)) {
            if (takes_next(app, run, *at) && at + 1 != arguments.end()) ++at;
        } else if (run != nullptr) {
            arguments.insert(at, "--");
            return arguments;
        } else if (*at == "run") {
            run = app.get_subcommand("run");
        } else {
            return arguments;
        }
    }
    return arguments;
}

}  // namespace mullion::cli
