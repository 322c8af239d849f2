#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_names.hpp"
#include "oci/layout.hpp"
#include "tree/base_image.hpp"
#include "worker/image.hpp"

namespace mullion::cli {
namespace {

constexpr const char* kDefaultVersion = "10.0.20348.2700";

struct Options {
    std::vector<std::string> os_versions;
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

// The images, and an index of them if there are several.
struct Base {
    std::vector<worker::AssembledImage> images;
    std::string index;
    oci::Descriptor root;
};

Base assemble(Context& context, const std::vector<oci::Platform>& platforms) {
    worker::Worker worker(context.state(), {}, {});
    base::NullProgress progress;
    std::vector<worker::ImageRequest> requests;
    for (const oci::Platform& platform : platforms) requests.push_back(make_request(platform));
    auto images =
        worker::assemble_images(worker, requests, progress, base::Digest::of("base create"), context.cancel);
    oci::Descriptor root = images.front().descriptor;
    if (images.size() == 1) return {std::move(images), {}, std::move(root)};
    oci::Index index;
    for (const worker::AssembledImage& image : images) index.manifests.push_back(image.descriptor);
    std::string document = index.json();
    root = {index.media_type, base::Digest::of(document), document.size(), {}, {}, {}};
    return {std::move(images), std::move(document), std::move(root)};
}

void write_layout(Context& context, const Options& options, const Base& base) {
    auto writer = oci::write_oci_layout(base::to_path(options.destination));
    for (const worker::AssembledImage& image : base.images) {
        for (const oci::Descriptor& layer : image.parsed_manifest.layers) {
            writer->put(context.state().content(), layer, context.cancel);
        }
        writer->put_bytes(image.parsed_manifest.config, image.config);
        writer->put_bytes(image.descriptor, image.manifest);
    }
    if (!base.index.empty()) writer->put_bytes(base.root, base.index);
    writer->finish({{options.name.empty() ? "" : full_name(options.name), base.root}});
}

void write_store(cache::State& state, const Options& options, const Base& base) {
    for (const worker::AssembledImage& image : base.images) {
        state.content().put_bytes(image.config);
        state.content().put_bytes(image.manifest);
    }
    if (!base.index.empty()) state.content().put_bytes(base.index);
    state.images().put(full_name(options.name), base.root);
}

int create(Context& context, const Options& options, const std::vector<oci::Platform>& platforms) {
    Base base = assemble(context, platforms);
    if (!options.destination.empty()) {
        write_layout(context, options, base);
        fmt::print("{}\n", options.destination);
    } else {
        write_store(context.state(), options, base);
        fmt::print("{}\n", short_name(full_name(options.name)));
    }
    return kSuccess;
}

}  // namespace

void add_base(CLI::App& app, Context& context) {
    CLI::App* group = app.add_subcommand("base", "Stand-in base images");
    group->require_subcommand(1);
    auto options = std::make_shared<Options>();
    CLI::App* command = group->add_subcommand(
        "create", "Make a small, deterministic stand-in for a Windows base image, for offline use and tests");
    command
        ->add_option("--os-version", options->os_versions,
                     "os.version of the image; several make an index of as many images")
        ->take_all()
        ->allow_extra_args(false);
    command->add_option("-t,--tag", options->name, "Name in the local store, or in the layout of --dest");
    command->add_option("--dest", options->destination, "Write an OCI layout to this directory instead");
    command->callback([&context, options] {
        if (options->os_versions.empty()) options->os_versions = {kDefaultVersion};
        std::vector<oci::Platform> platforms;
        for (const std::string& version : options->os_versions) platforms.push_back(parse_platform(version));
        if (options->name.empty() && options->destination.empty()) {
            throw base::fail(base::ErrorCode::Invalid,
                             "base create: where to? Give --tag NAME or --dest DIRECTORY");
        }
        if (!options->name.empty()) full_name(options->name);
        context.action = [&context, options, platforms] { return create(context, *options, platforms); };
    });
}

}  // namespace mullion::cli
