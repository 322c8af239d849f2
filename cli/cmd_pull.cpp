#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/os_options.hpp"
#include "cli/pull.hpp"

namespace mullion::cli {
namespace {

struct Options {
    std::vector<std::string> images;
    std::string platform;
    OsFlags os;
    bool all_platforms = false;
    bool quiet = false;
    std::string progress = "auto";
};

std::vector<worker::PullRequest> make_requests(const Options& options) {
    std::vector<worker::PullRequest> requests;
    for (const std::string& image : options.images) {
        worker::PullRequest request{.reference = oci::Reference::parse(image).with_default_tag(),
                                    .rule = parse_os_rule(options.os),
                                    .all_platforms = options.all_platforms};
        if (!options.platform.empty()) request.platform = oci::Platform::parse(options.platform);
        requests.push_back(std::move(request));
    }
    if (options.all_platforms && (!options.platform.empty() || options.os.given())) {
        throw base::fail(base::ErrorCode::Invalid, "--all-platforms leaves nothing to choose");
    }
    return requests;
}

int pull(Context& context, const std::vector<worker::PullRequest>& requests, DisplayMode mode) {
    for (const worker::PullRequest& request : requests) {
        worker::PulledImage image = pull_shown(context, request, mode);
        fmt::print("{}\n", request.reference.with_digest(image.target.digest).string());
    }
    return kSuccess;
}

}  // namespace

void add_pull(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("pull", "Bring images of registries into the local store");
    command->add_option("IMAGE", options->images, "Names")->required()->take_all();
    command->add_option("--platform", options->platform,
                        "Of an index: which image (default: windows/amd64, the version by --os-match)");
    add_os_options(*command, options->os);
    command->add_flag("--all-platforms", options->all_platforms, "An index with all its images");
    command->add_option("--progress", options->progress, "How progress is shown (default: auto)")
        ->check(CLI::IsMember({"auto", "tty", "plain", "rawjson", "quiet"}));
    command->add_flag("-q,--quiet", options->quiet, "Print only the name with the digest");
    command->callback([&context, options] {
        auto requests = std::make_shared<std::vector<worker::PullRequest>>(make_requests(*options));
        DisplayMode mode = parse_display_mode(options->quiet ? "quiet" : options->progress);
        context.action = [&context, requests, mode] { return pull(context, *requests, mode); };
    });
}

}  // namespace mullion::cli
