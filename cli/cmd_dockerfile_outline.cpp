#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "cli/cmd_dockerfile.hpp"
#include "cli/dockerfile_file.hpp"
#include "cli/exit_code.hpp"
#include "cli/report.hpp"
#include "frontend/check.hpp"
#include "frontend/diagnostic.hpp"

namespace mullion::cli {
namespace {

int report(const DockerfileText& file, const base::Error& error, const Context& context) {
    auto excerpt =
        error.source()
            ? frontend::excerpt(file.text, frontend::narrowed(file.text, *error.source(), error.subject()))
            : std::string();
    report_error(error, excerpt, context.debug);
    return kFailure;
}

int print_outline(const DockerfileFlags& flags, const Context& context) {
    auto file = read_dockerfile(flags.file);
    auto options = frontend_options(flags);
    options.lint_only = true;
    frontend::AssumedImages images;
    frontend::Findings findings;
    try {
        frontend::convert(file.text, options, images, context.cancel, findings);
    } catch (const base::Error& error) {
        return report(file, error, context);
    }
    fmt::print("{}", flags.format == "json" ? outline_json(file, findings.outline)
                                            : printable(outline_text(findings.outline)));
    return kSuccess;
}

int print_targets(const DockerfileFlags& flags, const Context& context) {
    auto file = read_dockerfile(flags.file);
    std::vector<frontend::Target> targets;
    try {
        targets = frontend::list_targets(file.text, file.name);
    } catch (const base::Error& error) {
        return report(file, error, context);
    }
    fmt::print("{}", flags.format == "json" ? targets_json(file, targets) : printable(targets_text(targets)));
    return kSuccess;
}

}  // namespace

void add_dockerfile_outline(CLI::App& group, Context& context) {
    auto flags = std::make_shared<DockerfileFlags>();
    CLI::App* command =
        group.add_subcommand("outline", "List the arguments, secrets and ssh agents a build uses");
    add_dockerfile_flags(*command, *flags);
    command->callback(
        [&context, flags] { context.action = [&context, flags] { return print_outline(*flags, context); }; });
}

void add_dockerfile_targets(CLI::App& group, Context& context) {
    auto flags = std::make_shared<DockerfileFlags>();
    CLI::App* command = group.add_subcommand("targets", "List the stages that can be built");
    command->add_option("FILE", flags->file, "Dockerfile")->required();
    command->add_option("--format", flags->format, "text or json")->check(CLI::IsMember({"text", "json"}));
    command->callback(
        [&context, flags] { context.action = [&context, flags] { return print_targets(*flags, context); }; });
}

}  // namespace mullion::cli
