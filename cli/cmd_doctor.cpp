#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/commands.hpp"
#include "cli/doctor_checks.hpp"
#include "cli/doctor_report.hpp"
#include "cli/exit_code.hpp"

namespace mullion::cli {
namespace {

struct Options {
    bool fix = false;
    std::string format = "text";
};

std::vector<Check> all_checks(Context& context) {
    std::vector<Check> checks = state_checks(context);
    for (auto list : {host_checks, tool_checks}) {
        for (Check& check : list(context)) checks.push_back(std::move(check));
    }
    return checks;
}

// Some checks take seconds: the text comes line by line.
int run(Context& context, const Options& options) {
    bool text = options.format == "text";
    std::vector<Diagnosis> diagnoses;
    for (const Check& check : all_checks(context)) {
        context.cancel.check();
        diagnoses.push_back(diagnose(check, options.fix));
        if (!text) continue;
        fmt::print("{}", diagnosis_text(diagnoses.back()));
        std::fflush(stdout);
    }
    fmt::print("{}", text ? summary_text(diagnoses) : diagnoses_json(diagnoses));
    return has_problem(diagnoses) ? kFailure : kSuccess;
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* command =
        app.add_subcommand("doctor", "Look whether this host has what mullion needs, and how to get it");
    command->add_flag("--fix", options->fix, "Repair what can be repaired without risk");
    command->add_option("--format", options->format, "text (the default) or json")
        ->check(CLI::IsMember({"text", "json"}));
    command->callback(
        [&context, options] { context.action = [&context, options] { return run(context, *options); }; });
}

}  // namespace mullion::cli
