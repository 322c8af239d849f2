#include <fmt/format.h>
#include <memory>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_names.hpp"
#include "cli/platform_choice.hpp"
#include "cli/terminal.hpp"
#include "oci/image.hpp"
#include "oci/layout.hpp"

namespace mullion::cli {
namespace {

struct Options {
    std::vector<std::string> images;
    std::string output;
    std::string format = "docker";
    std::string platform_text;
    std::optional<oci::Platform> platform;  // nullopt: all of them
};

void put_image(oci::ImageWriter& writer, cache::ContentStore& store, const oci::Image& image,
               const base::CancelToken& cancel) {
    for (const oci::Descriptor& layer : image.manifest.layers) writer.put(store, layer, cancel);
    writer.put(store, image.manifest.config, cancel);
    writer.put(store, image.descriptor, cancel);
}

// What `root` names, or of an index only the image for a platform. Returns what the archive will name.
oci::Descriptor put_root(oci::ImageWriter& writer, cache::ContentStore& store, const oci::Descriptor& root,
                         const std::optional<oci::Platform>& platform, const std::string& name,
                         const base::CancelToken& cancel) {
    if (platform) {
        oci::Image image = choose_image(store, root, *platform, {}, name, cancel);
        put_image(writer, store, image, cancel);
        return image.descriptor;
    }
    for (const oci::Image& image : oci::load_images(store, root, cancel)) {
        put_image(writer, store, image, cancel);
    }
    writer.put(store, root, cancel);
    return root;
}

void write_archive(Context& context, const Options& options, base::Sink& sink) {
    auto writer = options.format == "oci" ? oci::write_oci_archive(sink) : oci::write_docker_archive(sink);
    std::vector<oci::NamedRoot> roots;
    for (const std::string& text : options.images) {
        cache::NamedImage image = find_image(context.state(), text);
        roots.push_back({image.name, put_root(*writer, context.state().content(), image.target,
                                              options.platform, text, context.cancel)});
    }
    writer->finish(roots);
}

int save(Context& context, const Options& options) {
    if (options.output.empty() || options.output == "-") {
        if (is_terminal(base::kStandardOutput)) {
            throw base::fail(base::ErrorCode::Invalid,
                             "refusing to write an archive to a terminal; use -o FILE");
        }
        base::FdSink sink(base::kStandardOutput, "standard output");
        write_archive(context, options, sink);
    } else {
        base::AtomicFile file(base::to_path(options.output));
        write_archive(context, options, file);
        file.finish();
    }
    return kSuccess;
}

}  // namespace

void add_save(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("save", "Save images to an archive");
    command->add_option("IMAGE", options->images, "Image names or IDs")->required()->take_all();
    command->add_option("-o,--output", options->output, "File (default: standard output)");
    command->add_option("--format", options->format, "docker or oci")
        ->check(CLI::IsMember({"docker", "oci"}));
    command->add_option("--platform", options->platform_text,
                        "Of an index: only the image for this platform");
    command->callback([&context, options] {
        if (!options->platform_text.empty()) {
            options->platform = oci::Platform::parse(options->platform_text);
        }
        context.action = [&context, options] { return save(context, *options); };
    });
}

}  // namespace mullion::cli
