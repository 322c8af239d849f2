#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_names.hpp"
#include "cli/report.hpp"

namespace mullion::cli {
namespace {

struct Options {
    std::vector<std::string> images;
    bool force = false;
};

void untag(cache::State& state, const std::string& text, bool force) {
    std::vector<cache::NamedImage> images = find_images(state, text);
    if (images.size() > 1 && !force) {
        throw base::fail(base::ErrorCode::Invalid, "image {} has {} names, {} among them", text,
                         images.size(), short_name(images.front().name))
            .hint("remove it by name, or all its names with --force");
    }
    for (const cache::NamedImage& image : images) {
        state.images().remove(image.name);
        fmt::print("Untagged: {}\n", image.name);
    }
}

int remove_images(Context& context, const Options& options) {
    int code = kSuccess;
    for (const std::string& text : options.images) {
        try {
            untag(context.state(), text, options.force);
        } catch (const base::Error& error) {
            if (options.force && error.code() == base::ErrorCode::NotFound) continue;
            report_error(error, "", context.debug);
            code = kFailure;
        }
    }
    context.state().images().collect_garbage(context.cancel);
    return code;
}

}  // namespace

void add_rmi(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("rmi", "Remove images");
    command->add_option("IMAGE", options->images, "Image names or IDs")->required()->take_all();
    command->add_flag("-f,--force", options->force,
                      "All names of an ID; no failure if there is no such image");
    command->callback([&context, options] {
        context.action = [&context, options] { return remove_images(context, *options); };
    });
}

}  // namespace mullion::cli
