#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/display.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_location.hpp"
#include "cli/progress_vertex.hpp"
#include "oci/image.hpp"
#include "oci/push.hpp"

namespace mullion::cli {
namespace {

struct Options {
    std::string name;
    std::vector<std::string> images;
    bool quiet = false;
    std::string progress = "auto";
};

// The entry of an image, with the platform its config has: an index without os.version is no help to Windows.
oci::Descriptor entry_of(const oci::Image& image) {
    oci::Descriptor entry{
        image.descriptor.media_type, image.descriptor.digest, image.descriptor.size, {}, {}, {}};
    entry.platform = image.config.platform;
    return entry;
}

void add_entry(oci::Index& index, oci::Descriptor entry, const std::string& from) {
    for (const oci::Descriptor& other : index.manifests) {
        if (other.digest == entry.digest) return;
        if (other.platform->normalized() == entry.platform->normalized()) {
            throw base::fail(base::ErrorCode::Invalid, "{}: there is another image for {} already", from,
                             entry.platform->string());
        }
    }
    index.manifests.push_back(std::move(entry));
}

// Every image goes to the index's repository first, by digest.
base::Digest create(Context& context, const Options& options, const oci::TransferReport& report) {
    oci::Reference target = oci::Reference::parse(options.name).with_default_tag();
    oci::Reference repository = oci::Reference::parse(target.name());
    oci::Index index;
    std::vector<std::pair<OpenedImage, std::vector<oci::Image>>> sources;
    for (const std::string& text : options.images) {
        OpenedImage source = open_image(context, ImageLocation::parse(text));
        auto images = oci::load_images(*source.source, source.root, context.cancel);
        for (const oci::Image& image : images) add_entry(index, entry_of(image), text);
        sources.emplace_back(std::move(source), std::move(images));
    }
    for (const auto& [source, images] : sources) {
        oci::PushOptions push;
        push.mount_from = [&from = source.repository](const oci::Descriptor&) { return from; };
        for (const oci::Image& image : images) {
            oci::push_image(context.registry(), *source.source, image.descriptor, {repository}, push, report,
                            context.cancel);
        }
    }
    std::string bytes = index.json();
    oci::Descriptor root{index.media_type, base::Digest::of(bytes), bytes.size(), {}, {}, {}};
    context.registry().put_manifest(target, {root, bytes}, context.cancel);
    return root.digest;
}

int create_shown(Context& context, const Options& options, DisplayMode mode) {
    std::string title = "creating index " + options.name;
    base::Digest digest = [&] {
        std::unique_ptr<Display> display = make_display(mode);
        oci::TransferReport report{*display, ProgressVertex::digest_of(title)};
        return with_vertex(*display, title, [&] { return create(context, options, report); });
    }();
    fmt::print("{}\n", digest.string());
    return kSuccess;
}

}  // namespace

void add_index(CLI::App& app, Context& context) {
    CLI::App* group = app.add_subcommand("index", "Work on image indexes of registries");
    group->require_subcommand(1);
    auto options = std::make_shared<Options>();
    CLI::App* command = group->add_subcommand(
        "create", "Make an index of several images, for several versions of Windows, and push it");
    command->add_option("NAME", options->name, "The index's name in its registry")->required();
    command->add_option("IMAGE", options->images, "Images (as for copy); of an index, all of it")
        ->required()
        ->take_all();
    command->add_option("--progress", options->progress, "How progress is shown (default: auto)")
        ->check(CLI::IsMember({"auto", "tty", "plain", "rawjson", "quiet"}));
    command->add_flag("-q,--quiet", options->quiet, "Print only the digest");
    command->callback([&context, options] {
        oci::Reference::parse(options->name);
        for (const std::string& image : options->images) ImageLocation::parse(image);
        DisplayMode mode = parse_display_mode(options->quiet ? "quiet" : options->progress);
        context.action = [&context, options, mode] { return create_shown(context, *options, mode); };
    });
}

}  // namespace mullion::cli
