#include "cli/pull.hpp"

namespace mullion::cli {

worker::PulledImage pull_shown(Context& context, const worker::PullRequest& request, DisplayMode mode) {
    std::unique_ptr<Display> display = make_display(mode);
    return worker::pull_image(context.state(), context.registry(), request, *display, context.cancel);
}

}  // namespace mullion::cli
