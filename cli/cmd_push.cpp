#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "cli/byte_text.hpp"
#include "cli/commands.hpp"
#include "cli/display.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_names.hpp"
#include "cli/progress_vertex.hpp"
#include "oci/push.hpp"
#include "worker/exporter.hpp"

namespace mullion::cli {
namespace {

struct Options {
    std::string image;
    std::string target;
    bool nondistributable = false;
    bool quiet = false;
    std::string progress = "auto";
};

int push(Context& context, const Options& options, DisplayMode mode) {
    cache::NamedImage image = find_image(context.state(), options.image);
    oci::Reference name =
        oci::Reference::parse(options.target.empty() ? image.name : worker::new_image_name(options.target));
    std::string title = "pushing " + name.familiar();
    oci::PushCounts counts;
    {
        std::unique_ptr<Display> display = make_display(mode);
        oci::TransferReport report{*display, ProgressVertex::digest_of(title)};
        counts = with_vertex(*display, title, [&] {
            return oci::push_image(context.registry(), context.state().content(), image.target, {name},
                                   {.nondistributable = options.nondistributable}, report, context.cancel);
        });
    }
    fmt::print("{}\n", name.with_digest(image.target.digest).string());
    if (mode != DisplayMode::Quiet) {
        fmt::print(stderr, "{} blobs: {} sent ({}), {} mounted, {} already there\n",
                   counts.uploaded + counts.mounted + counts.present, counts.uploaded,
                   shown_bytes(static_cast<std::int64_t>(counts.bytes)), counts.mounted, counts.present);
    }
    return kSuccess;
}

}  // namespace

void add_push(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("push", "Push an image of the local store to its registry");
    command->add_option("IMAGE", options->image, "Image name or ID")->required();
    command->add_option("TARGET", options->target, "Name in the registry (default: the image's own)");
    command->add_flag("--allow-nondistributable-artifacts", options->nondistributable,
                      "Also layers that have URLs of their own");
    command->add_option("--progress", options->progress, "How progress is shown (default: auto)")
        ->check(CLI::IsMember({"auto", "tty", "plain", "rawjson", "quiet"}));
    command->add_flag("-q,--quiet", options->quiet, "Print only the name with the digest");
    command->callback([&context, options] {
        DisplayMode mode = parse_display_mode(options->quiet ? "quiet" : options->progress);
        context.action = [&context, options, mode] { return push(context, *options, mode); };
    });
}

}  // namespace mullion::cli
