#include <fmt/format.h>
#include <cstdio>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "cli/commands.hpp"
#include "cli/container_backend.hpp"
#include "cli/container_proxies.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_names.hpp"
#include "cli/key_values.hpp"
#include "cli/network_options.hpp"
#include "cli/option_values.hpp"
#include "cli/os_options.hpp"
#include "cli/platform_choice.hpp"
#include "cli/pull.hpp"
#include "cli/report.hpp"
#include "cli/standard_input.hpp"
#include "cli/usage_text.hpp"
#include "oci/image.hpp"
#include "worker/isolation.hpp"
#include "worker/run_container.hpp"

namespace mullion::cli {
namespace {

constexpr std::uint32_t kLargestUnixCode = 255;

struct Options {
    std::string image;
    std::vector<std::string> arguments;
    std::vector<std::string> environment;
    std::vector<std::string> volumes;
    std::string working_directory;
    std::string user;
    std::string entrypoint;
    bool has_entrypoint = false;
    std::string platform;
    std::string pull = "missing";
    OsFlags os;
    std::string network = "nat";
    NetworkFlags networking;
    std::string isolation = "auto";
    std::string memory;
    std::string host_name;
    std::string timeout;
    double cpus = 0;
    bool interactive = false;
    bool stats = false;
    bool remove = false;
};

hcs::NetworkSpec parse_network(const Options& options) {
    hcs::NetworkSpec spec{.mode = hcs::NetworkMode::Nat};
    if (options.network == "none") {
        spec.mode = hcs::NetworkMode::None;
    } else if (options.network == "host") {
        spec.mode = hcs::NetworkMode::Host;
    } else if (options.network.empty()) {
        throw base::fail(base::ErrorCode::Invalid,
                         "invalid --network \"\": expected nat, none, host or a name");
    } else if (options.network != "nat") {
        spec.name = options.network;
    }
    apply_network_options(options.networking, spec);
    return spec;
}

worker::Limits parse_limits(const Options& options) {
    worker::Limits limits;
    if (!options.memory.empty()) limits.memory_mb = parse_memory_mb(options.memory);
    if (options.cpus != 0) {
        limits.processors = static_cast<std::uint32_t>(options.cpus);
        if (options.cpus < 1 || limits.processors != options.cpus) {
            throw base::fail(base::ErrorCode::Invalid, "--cpus {}: only whole processors can be given",
                             options.cpus);
        }
    }
    if (!options.timeout.empty()) limits.time_limit = parse_duration(options.timeout);
    return limits;
}

// What needs no state directory to be checked: wrong values are usage errors.
struct Values {
    std::vector<std::string> environment;
    std::vector<worker::Volume> volumes;
    worker::Limits limits;
    hcs::NetworkSpec network;
    oci::Platform platform;
    oci::OsRule os;
    std::optional<oci::WindowsHost> host;
    oci::Isolation isolation = oci::Isolation::Auto;
};

std::vector<std::string> parse_environment(const Options& options) {
    KeyValueList variables;
    for (const std::string& text : options.environment) {
        if (auto pair = parse_assignment(text, "--env")) variables.push_back(std::move(*pair));
    }
    for (auto& proxy : configured_proxies(variables)) variables.push_back(std::move(proxy));
    std::vector<std::string> environment;
    for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
    return environment;
}

Values parse_values(const Options& options) {
    Values values;
    values.environment = parse_environment(options);
    for (const std::string& text : options.volumes) values.volumes.push_back(parse_volume(text));
    values.limits = parse_limits(options);
    values.network = parse_network(options);
    values.os = parse_os_rule(options.os);
    values.host = container_host(values.os);
    values.isolation = oci::parse_isolation(options.isolation);
    if (!options.platform.empty()) values.platform = oci::Platform::parse(options.platform);
    return values;
}

worker::ContainerRequest make_request(const Options& options, const Values& values, oci::Image image) {
    worker::ContainerRequest request{.image = std::move(image), .image_name = options.image};
    if (options.has_entrypoint) request.entrypoint = options.entrypoint;
    request.arguments = options.arguments;
    request.environment = values.environment;
    request.working_directory = options.working_directory;
    request.user = options.user;
    request.volumes = values.volumes;
    request.network = values.network;
    request.isolation = values.isolation;
    request.limits = values.limits;
    request.host_name = options.host_name;
    return request;
}

// Windows codes have 32 bits, a Unix status eight: never let a failure look like another code, or like
// success.
int unix_status(std::uint32_t code) {
    if (code <= kLargestUnixCode) return static_cast<int>(code);
    fmt::print(stderr, "mullion: the process exited with code {} (0x{:08X})\n", code, code);
    return static_cast<int>(kLargestUnixCode);
}

void print_usage(const std::optional<base::ResourceUsage>& usage) {
    std::string text = usage ? usage_text(*usage) : "";
    fmt::print(stderr, "mullion: used {}\n", text.empty() ? "nothing that was counted" : text);
}

// Which isolation the image gets and why, for the user; "" where there is no choice.
std::string isolation_of(const oci::Image& image, const Values& values) {
    if (!image.config.platform.is_windows()) return "";  // is refused
    oci::IsolationChoice choice =
        worker::container_isolation(values.isolation, image.config.platform.os_version, values.host);
    return values.host ? worker::describe(choice) : "";
}

// The image to run, pulled if --pull says so.
oci::Image image_to_run(Context& context, const Options& options, const Values& values) {
    cache::State& state = context.state();
    bool pulls = options.pull == "always" || (options.pull == "missing" && !has_image(state, options.image));
    if (pulls) {
        worker::PullRequest request{
            .reference = oci::Reference::parse(options.image).with_default_tag(),
            .platform = values.platform,
            .rule = values.os,
            .judge = [&](const oci::Image& image) { return isolation_of(image, values); }};
        pull_shown(context, request, DisplayMode::Auto);
    }
    cache::NamedImage named = find_image(state, options.image);
    return choose_image(state.content(), named.target, values.platform, values.os, options.image,
                        context.cancel);
}

int run(Context& context, const Options& options, const Values& values) {
    cache::State& state = context.state();
    ContainerBackend backend(context);
    if (auto* compute = backend.services().compute) compute->check_network(values.network);
    oci::Image image = image_to_run(context, options, values);
    if (std::string text = isolation_of(image, values); !text.empty()) {
        fmt::print(stderr, "mullion: {}\n", text);
    }
    worker::ContainerRequest request = make_request(options, values, std::move(image));
    backend.prepare(context.cancel);
    worker::Worker worker(state, backend.services(), {.limits = values.limits, .host = values.host});
    StandardInput input(base::kStandardInput);
    base::FdSink output(base::kStandardOutput, "standard output");
    base::FdSink errors(base::kStandardError, "standard error");
    if (options.interactive) {
        request.standard_input = &input;
        request.interrupt_input = [&] { input.interrupt(); };
    }
    request.standard_output = &output;
    request.standard_error = &errors;
    worker::ContainerEnd end = worker::run_container(worker, request, context.cancel);
    if (options.stats) print_usage(end.usage);
    return unix_status(end.exit_code);
}

int run_or_report(Context& context, const Options& options, const Values& values) {
    try {
        return run(context, options, values);
    } catch (const base::Error& error) {
        if (error.code() == base::ErrorCode::Canceled) throw;
        report_error(error, "", context.debug);
        return kRunFailed;
    }
}

}  // namespace

void add_run(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("run", "Run a command in a new container");
    command->add_flag("--rm", options->remove,
                      "Remove the container when it ends (always the case: none is kept)");
    command->add_option("-e,--env", options->environment, "NAME=VALUE, or NAME to pass ours on")
        ->take_all()
        ->allow_extra_args(false);
    command->add_option("-v,--volume", options->volumes, "HOST:C:\\PATH[:ro]")
        ->take_all()
        ->allow_extra_args(false);
    command->add_option("-w,--workdir", options->working_directory, "Working directory");
    command->add_option("-u,--user", options->user, "User");
    CLI::Option* entrypoint =
        command->add_option("--entrypoint", options->entrypoint, "Instead of the image's ENTRYPOINT");
    command->add_option(
        "--platform", options->platform,
        "Of an index: which image to run (default: windows/amd64, the version by --os-match)");
    command->add_option("--pull", options->pull, "always, missing (the default) or never")
        ->check(CLI::IsMember({"always", "missing", "never"}));
    add_os_options(*command, options->os);
    command->add_option("--network", options->network,
                        "nat (the default), none, host, or the name of a network of the host");
    command
        ->add_option(
            "-p,--publish", options->networking.publish,
            "[HOSTIP:]HOSTPORT:CONTAINERPORT[/tcp|/udp]: a port of the host that leads to the container")
        ->take_all()
        ->allow_extra_args(false);
    add_network_options(*command, options->networking);
    add_isolation_option(*command, options->isolation);
    command->add_option("--memory", options->memory, "Memory limit (512m, 2g)");
    command->add_option("--cpus", options->cpus, "Number of processors");
    command->add_option("--hostname", options->host_name, "Host name of the container");
    command->add_option("--timeout", options->timeout, "End the container after this time (90s, 5m)");
    command->add_flag("--stats", options->stats, "Print what the container has used when it has ended");
    command->add_flag("-i,--interactive", options->interactive, "Pass standard input on");
    auto words = std::make_shared<std::vector<std::string>>();
    command->add_option("IMAGE", *words, "Image name or ID; then the command, instead of the image's CMD")
        ->required()
        ->take_all()
        ->type_name("[COMMAND] [ARGUMENT]");
    command->callback([&context, options, words, entrypoint] {
        options->has_entrypoint = entrypoint->count() > 0;
        options->image = words->front();
        options->arguments.assign(words->begin() + 1, words->end());
        auto values = std::make_shared<Values>(parse_values(*options));
        context.action = [&context, options, values] { return run_or_report(context, *options, *values); };
    });
}

}  // namespace mullion::cli
