#include <fmt/format.h>

#include <memory>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_location.hpp"
#include "oci/os_match.hpp"

namespace mullion::cli {
namespace {

struct Options {
    std::string image;
    std::string platform;
};

// The document's own bytes: what its digest is of.
int print_manifest(Context& context, const ImageLocation& location,
                   const std::optional<oci::Platform>& platform) {
    OpenedImage image = open_image(context, location);
    oci::Descriptor document = image.root;
    if (platform) {
        document =
            oci::load_chosen_image(*image.source, image.root, *platform, {}, context.cancel).image.descriptor;
    }
    std::string bytes = oci::read_blob(*image.source, document, oci::Manifest::kMaxSize, context.cancel);
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    return kSuccess;
}

int print_digest(Context& context, const ImageLocation& location) {
    // Of a registry's tag, the headers are enough.
    if (location.kind == ImageLocation::Kind::Registry) {
        if (auto found = context.registry().find_manifest(location.reference(), context.cancel)) {
            fmt::print("{}\n", found->digest.string());
            return kSuccess;
        }
    }
    fmt::print("{}\n", open_image(context, location).root.digest.string());
    return kSuccess;
}

}  // namespace

void add_manifest(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("manifest", "Print the manifest or index of an image, as it is");
    command->add_option("IMAGE", options->image, "As for copy: a name is a registry's")->required();
    command->add_option("--platform", options->platform,
                        "Of an index: the manifest of this platform's image");
    command->callback([&context, options] {
        ImageLocation location = ImageLocation::parse(options->image);
        std::optional<oci::Platform> platform;
        if (!options->platform.empty()) platform = oci::Platform::parse(options->platform);
        context.action = [&context, location, platform] {
            return print_manifest(context, location, platform);
        };
    });
}

void add_digest(CLI::App& app, Context& context) {
    auto image = std::make_shared<std::string>();
    CLI::App* command = app.add_subcommand("digest", "Print the digest of what a name stands for");
    command->add_option("IMAGE", *image, "As for copy: a name is a registry's")->required();
    command->callback([&context, image] {
        ImageLocation location = ImageLocation::parse(*image);
        context.action = [&context, location] { return print_digest(context, location); };
    });
}

}  // namespace mullion::cli
