#include "cli/pull.hpp"

#include "cli/progress_vertex.hpp"

namespace mullion::cli {

worker::PulledImage pull_shown(Context& context, const worker::PullRequest& request, DisplayMode mode) {
    std::unique_ptr<Display> display = make_display(mode);
    std::string title = "pulling " + request.reference.familiar();
    return with_vertex(*display, title, [&] {
        return worker::pull_image(context.state(), context.registry(), request, *display,
                                  ProgressVertex::digest_of(title), context.cancel);
    });
}

}  // namespace mullion::cli
