#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_names.hpp"
#include "oci/layout.hpp"
#include "tree/base_image.hpp"
#include "worker/image.hpp"

namespace mullion::cli {
namespace {

struct Options {
    std::string os_version = "10.0.20348.2700";
    std::string name;
    std::string destination;
};

// Fixed, so that the image is the same wherever it is made.
const base::FileTime kImageTime = base::FileTime::parse_rfc3339("2024-01-01T00:00:00Z");

oci::Platform parse_platform(const std::string& os_version) {
    if (!oci::OsVersion::parse(os_version)) {
        throw base::fail(base::ErrorCode::Invalid,
                         "invalid --os-version \"{}\": expected something like 10.0.20348.2700", os_version);
    }
    oci::Platform platform;
    platform.os_version = os_version;
    return platform;
}

worker::ImageRequest make_request(const oci::Platform& platform) {
    tree::Delta layer = tree::base_image_layer({.os_version = platform.os_version, .time = kImageTime});
    worker::ImageRequest request;
    request.snapshot = worker::Snapshot::stack(
        platform, {std::make_shared<worker::Layer>(std::make_shared<const tree::Delta>(std::move(layer)))});
    request.config.platform = platform;
    request.config.created = kImageTime;
    request.config.config.cmd = {"c:\\windows\\system32\\cmd.exe"};
    request.config.history.push_back(
        {.created = kImageTime, .created_by = "mullion base create " + platform.os_version});
    request.epoch = kImageTime;
    return request;
}

void write_layout(Context& context, const Options& options, const worker::AssembledImage& image) {
    auto writer = oci::write_oci_layout(options.destination);
    for (const oci::Descriptor& layer : image.parsed_manifest.layers) {
        writer->put(context.state().content(), layer, context.cancel);
    }
    writer->put_bytes(image.parsed_manifest.config, image.config);
    writer->put_bytes(image.descriptor, image.manifest);
    writer->finish({{options.name.empty() ? "" : full_name(options.name), image.descriptor}});
}

int create(Context& context, const Options& options, const oci::Platform& platform) {
    cache::State& state = context.state();
    worker::Worker worker(state, {}, {});
    base::NullProgress progress;
    worker::AssembledImage image = worker::assemble_image(worker, make_request(platform), progress,
                                                          base::Digest::of("base create"), context.cancel);
    if (!options.destination.empty()) {
        write_layout(context, options, image);
        fmt::print("{}\n", options.destination);
        return kSuccess;
    }
    state.content().put_bytes(image.config);
    state.content().put_bytes(image.manifest);
    state.images().put(full_name(options.name), image.descriptor);
    fmt::print("{}\n", short_name(full_name(options.name)));
    return kSuccess;
}

}  // namespace

void add_base(CLI::App& app, Context& context) {
    CLI::App* group = app.add_subcommand("base", "Stand-in base images");
    group->require_subcommand(1);
    auto options = std::make_shared<Options>();
    CLI::App* command = group->add_subcommand(
        "create", "Make a small, deterministic stand-in for a Windows base image, for offline use and tests");
    command->add_option("--os-version", options->os_version, "os.version of the image");
    command->add_option("-t,--tag", options->name, "Name in the local store, or in the layout of --dest");
    command->add_option("--dest", options->destination, "Write an OCI layout to this directory instead");
    command->callback([&context, options] {
        oci::Platform platform = parse_platform(options->os_version);
        if (options->name.empty() && options->destination.empty()) {
            throw base::fail(base::ErrorCode::Invalid,
                             "base create: where to? Give --tag NAME or --dest DIRECTORY");
        }
        if (!options->name.empty()) full_name(options->name);
        context.action = [&context, options, platform] { return create(context, *options, platform); };
    });
}

}  // namespace mullion::cli
