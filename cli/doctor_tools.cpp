#include <fmt/format.h>

#include <chrono>

#include "base/process.hpp"
#include "cli/doctor_checks.hpp"

namespace mullion::cli {
namespace {

constexpr std::chrono::seconds kVersionLimit{10};

Finding git(const base::CancelToken& cancel) {
    auto program = base::find_program("git");
    if (!program) {
        return {Health::Warning, "git is not in PATH: contexts and ADD cannot take git repositories",
                "install git, or put its directory into PATH"};
    }
    base::ProcessOutput output = base::run_and_capture(
        {.argv = {program->string(), "--version"}, .time_limit = kVersionLimit}, cancel);
    std::string version = output.out.substr(0, output.out.find('\n'));
    if (output.exit_code != 0) {
        return {Health::Warning, fmt::format("{} does not work: {}", program->string(), output.err),
                "install git anew"};
    }
    return {Health::Ok, fmt::format("{} ({})", version, program->string()), ""};
}

Finding credential_helpers(Context& context) {
    std::string file = oci::default_credentials_file().string();
    std::string found, missing;
    for (const std::string& program : context.credentials().helper_programs()) {
        std::string& list = base::find_program(program) ? found : missing;
        list += (list.empty() ? "" : ", ") + program;
    }
    if (!missing.empty()) {
        return {Health::Problem, fmt::format("{} names programs that are not in PATH: {}", file, missing),
                "install them, or take credsStore and credHelpers out of that file"};
    }
    return {Health::Ok, found.empty() ? "none is configured" : found, ""};
}

}  // namespace

std::vector<Check> tool_checks(Context& context) {
    return {{"git", [&context] { return git(context.cancel); }},
            {"credential-helpers", [&context] { return credential_helpers(context); }}};
}

}  // namespace mullion::cli
