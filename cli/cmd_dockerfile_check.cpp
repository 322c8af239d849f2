#include <fmt/format.h>

#include <memory>
#include <system_error>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "cli/cmd_dockerfile.hpp"
#include "cli/dockerfile_file.hpp"
#include "cli/exit_code.hpp"
#include "cli/report.hpp"
#include "cli/windows_host.hpp"
#include "frontend/check.hpp"
#include "frontend/diagnostic.hpp"
#include "frontend/lint_fix.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;

struct CheckFlags : DockerfileFlags {
    bool fix = false;
    bool windows_rules = false;
    bool no_windows_rules = false;

    bool json() const { return format == "json"; }
    // Tools that read the JSON form compare it with the reference's.
    bool wants_windows_rules() const { return windows_rules || (!no_windows_rules && !json()); }
};

// In place, through symlinks, with the permissions the file has.
void write_back(const std::string& file, std::string_view text) {
    fs::path path = fs::canonical(base::to_path(file));
    auto permissions = fs::status(path).permissions();
    base::write_file_atomic(path, text);
    fs::permissions(path, permissions);
}

void repair(DockerfileText& file, const frontend::Options& options, const base::CancelToken& cancel) {
    frontend::AssumedImages images;
    auto repaired = frontend::fix(file.text, options, images, cancel);
    if (repaired.fixed == 0) return;
    write_back(file.name, repaired.text);
    file.text = std::move(repaired.text);
    fmt::print(stderr, "{}: repaired {} {}\n", file.name, repaired.fixed,
               repaired.fixed == 1 ? "place" : "places");
}

frontend::CheckResult checked(const CheckFlags& flags, DockerfileText& file,
                              const base::CancelToken& cancel) {
    try {
        file = read_dockerfile(flags.file);
        auto options = frontend_options(flags);
        options.windows_rules = flags.wants_windows_rules();
        options.windows_host = windows_host().has_value();
        read_ignore_file(flags.file, options);
        if (flags.fix) repair(file, options, cancel);
        frontend::AssumedImages images;
        return frontend::check(file.text, options, images, cancel);
    } catch (const base::Error& error) {
        if (error.code() == base::ErrorCode::Canceled) throw;
        frontend::CheckResult result;
        result.error = error;
        return result;
    }
}

int run_check(const CheckFlags& flags, const Context& context) {
    DockerfileText file;
    auto result = checked(flags, file, context.cancel);
    fmt::print("{}", flags.json() ? check_json(result) : check_text(file, result));
    if (result.error && !flags.json()) {
        std::fflush(stdout);
        auto excerpt =
            result.error->source()
                ? frontend::excerpt(file.text, frontend::narrowed(file.text, *result.error->source(),
                                                                  result.error->subject()))
                : std::string();
        report_error(*result.error, excerpt, context.debug);
    }
    return result.error || !result.warnings.empty() ? kFailure : kSuccess;
}

}  // namespace

void add_dockerfile_check(CLI::App& group, Context& context) {
    auto flags = std::make_shared<CheckFlags>();
    CLI::App* command = group.add_subcommand("check", "Look for mistakes without building anything");
    add_dockerfile_flags(*command, *flags);
    command->add_flag("--fix", flags->fix,
                      "Repair in FILE what can be repaired without changing what is built");
    CLI::Option* with =
        command->add_flag("--windows-rules", flags->windows_rules,
                          "Apply our own rules for Windows images too (default: with --format text)");
    command
        ->add_flag("--no-windows-rules", flags->no_windows_rules,
                   "Apply the rules of BuildKit's front end only")
        ->excludes(with);
    command->callback(
        [&context, flags] { context.action = [&context, flags] { return run_check(*flags, context); }; });
}

}  // namespace mullion::cli
