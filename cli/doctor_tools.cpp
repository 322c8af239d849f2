#include <fmt/format.h>

#include <chrono>

#include "base/error.hpp"
#include "base/process.hpp"
#include "cli/doctor_checks.hpp"

namespace mullion::cli {
namespace {

constexpr std::chrono::seconds kVersionLimit{10};

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

Finding broken_git(const std::string& program, const std::string& why) {
    return {Health::Warning, fmt::format("{} does not work: {}", program, first_line(why)),
            "install git anew"};
}

Finding git(const base::CancelToken& cancel) {
    auto program = base::find_program("git");
    if (!program) {
        return {Health::Warning, "git is not in PATH: contexts and ADD cannot take git repositories",
                "install git, or put its directory into PATH"};
    }
    std::string name = program->string();
    try {
        base::ProcessOutput output =
            base::run_and_capture({.argv = {name, "--version"}, .time_limit = kVersionLimit}, cancel);
        if (output.exit_code != 0) return broken_git(name, output.err);
        return {Health::Ok, fmt::format("{} ({})", first_line(output.out), name), ""};
    } catch (const base::Error& error) {
        if (error.code() == base::ErrorCode::Canceled) throw;
        return broken_git(name, error.what());
    }
}

Finding credential_helpers(Context& context) {
    std::string file = oci::default_credentials_file().string();
    std::vector<std::string> programs;
    try {
        programs = context.credentials().helper_programs();
    } catch (const base::Error& error) {
        return {Health::Problem, error.what(), fmt::format("correct {}, or remove it", file)};
    }
    std::string found, missing;
    for (const std::string& program : programs) {
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
