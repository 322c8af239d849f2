#include "cli/program.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/time_zone.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"
#include "cli/report.hpp"
#include "cli/run_arguments.hpp"
#include "cli/thread_limit.hpp"

namespace {

using mullion::cli::Context;

void add_commands(CLI::App& app, Context& context) {
    mullion::cli::add_build(app, context);
    mullion::cli::add_run(app, context);
    mullion::cli::add_images(app, context);
    mullion::cli::add_inspect(app, context);
    mullion::cli::add_tag(app, context);
    mullion::cli::add_pull(app, context);
    mullion::cli::add_push(app, context);
    mullion::cli::add_copy(app, context);
    mullion::cli::add_manifest(app, context);
    mullion::cli::add_digest(app, context);
    mullion::cli::add_index(app, context);
    mullion::cli::add_login(app, context);
    mullion::cli::add_logout(app, context);
    mullion::cli::add_rmi(app, context);
    mullion::cli::add_load(app, context);
    mullion::cli::add_save(app, context);
    mullion::cli::add_cache(app, context);
    mullion::cli::add_base(app, context);
    mullion::cli::add_image(app, context);
    mullion::cli::add_dockerfile(app, context);
    mullion::cli::add_doctor(app, context);
    mullion::cli::add_version(app, context);
}

// CLI11 takes "--name=" for "--name", whose value were the next argument, whatever that is.
std::vector<std::string> with_empty_values(const std::vector<std::string>& arguments) {
    std::vector<std::string> result;
    bool options = true;  // up to "--"
    for (const std::string& argument : arguments) {
        options = options && argument != "--";
        bool has_empty_value =
            options && argument.starts_with("--") && argument.find('=') == argument.size() - 1;
        result.push_back(has_empty_value ? argument.substr(0, argument.size() - 1) : argument);
        if (has_empty_value) result.emplace_back();
    }
    return result;
}

// CLI11 takes a vector from its back.
std::vector<std::string> parse_order(std::vector<std::string> arguments) {
    std::reverse(arguments.begin(), arguments.end());
    return arguments;
}

int run_action(Context& context, const mullion::cli::InterruptGuard& guard) {
    using namespace mullion;
    try {
        cli::ThreadLimit threads;
        int code = context.action();
        // What was printed is the result; losing it is no success.
        if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)
            throw base::fail(base::ErrorCode::Io, "writing to standard output failed");
        return code;
    } catch (const base::Error& error) {
        cli::report_error(error, "", context.debug);
        return guard.interrupted() ? cli::kInterrupted : cli::kFailure;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "ERROR: %s\n", error.what());
        return cli::kFailure;
    }
}

}  // namespace

int mullion::cli::run_program(const std::vector<std::string>& arguments) {
    using namespace mullion;

    base::use_utc();
    base::CancelSource cancel;
    cli::InterruptGuard guard(cancel);
    Context context;
    context.cancel = cancel.token();

    CLI::App app{"mullion builds, runs and ships Windows container images", "mullion"};
    app.require_subcommand(1);
    app.fallthrough();
    app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
    std::string log_level;
    app.add_option("--state", context.state_option,
                   "State directory (default: $MULLION_STATE, else per user)");
    app.add_option("--ca-file", context.ca_file,
                   "Certificates (PEM) to trust instead of the system's, for http(s), registries and git");
    app.add_option("--insecure-registry", context.insecure_registries,
                   "HOST[:PORT] whose certificate may be anything, or absent")
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--hosts-dir", context.hosts_directories,
                   "Directory of HOST/hosts.toml: mirrors, certificates and the like")
        ->take_all()
        ->allow_extra_args(false);
    app.add_flag("--debug", context.debug, "Show where errors come from");
    app.add_option("--log-level", log_level, "Developers' log: trace, debug, info, warn, error, off");
    add_commands(app, context);
    try {
        app.parse(parse_order(with_empty_values(cli::protect_run_arguments(app, arguments))));
        if (!log_level.empty()) base::set_log_level(log_level);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? cli::kSuccess : cli::kUsage;
    } catch (const base::Error& error) {
        cli::report_error(error, "", context.debug);
        return cli::kUsage;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "ERROR: %s\n", error.what());
        return cli::kUsage;
    }
    return run_action(context, guard);
}
