#include <memory>

#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_names.hpp"
#include "worker/exporter.hpp"

namespace mullion::cli {

void add_tag(CLI::App& app, Context& context) {
    struct Options {
        std::string source;
        std::string target;
    };
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("tag", "Give an image another name");
    command->add_option("SOURCE", options->source, "Image name or ID")->required();
    command->add_option("TARGET", options->target, "New name")->required();
    command->callback([&context, options] {
        context.action = [&context, options] {
            cache::NamedImage image = find_image(context.state(), options->source);
            context.state().images().put(worker::new_image_name(options->target), image.target);
            return kSuccess;
        };
    });
}

}  // namespace mullion::cli
