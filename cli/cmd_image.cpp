#include <fmt/format.h>

#include <filesystem>
#include <memory>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/path_text.hpp"
#include "cli/commands.hpp"
#include "cli/display_text.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_names.hpp"
#include "oci/layout.hpp"
#include "oci/validate.hpp"
#include "tree/layer_tar.hpp"

namespace mullion::cli {
namespace {

struct Options {
    std::string image;
    std::string format = "text";
};

// The layer-format half of the verdict: `oci` hands us each layer's bytes as it checks them.
class LayerVerifier {
  public:
    explicit LayerVerifier(const base::CancelToken& cancel) : cancel_(cancel) {}

    std::vector<oci::Finding> operator()(const oci::LayerContext& layer, base::Source& tar) {
        if (layer.platform == nullptr || !layer.platform->is_windows()) return {};
        std::vector<oci::Finding> findings;
        for (tree::LayerFinding& found : tree::verify_layer(tar, layer.index == 0, nullptr, cancel_)) {
            findings.push_back({layer.where, "layer-format", found.entry + ": " + found.text});
        }
        return findings;
    }

  private:
    base::CancelToken cancel_;
};

std::vector<oci::Finding> verify_archive(const std::string& path, const base::CancelToken& cancel) {
    auto archive = oci::ImageArchive::open_path(base::to_path(path), cancel);
    std::vector<oci::Finding> findings;
    if (archive->roots().empty()) findings.push_back({path, "empty", "it holds no image"});
    for (const oci::NamedRoot& root : archive->roots()) {
        auto more = oci::validate_image(*archive, root.descriptor, LayerVerifier(cancel), cancel);
        findings.insert(findings.end(), more.begin(), more.end());
    }
    return findings;
}

std::vector<oci::Finding> verify(Context& context, const std::string& image) {
    if (std::filesystem::exists(base::to_path(image))) return verify_archive(image, context.cancel);
    cache::State& state = context.state();
    cache::NamedImage named = find_image(state, image);
    return oci::validate_image(state.content(), named.target, LayerVerifier(context.cancel), context.cancel);
}

std::string render_json(const std::vector<oci::Finding>& findings) {
    base::OrderedJson items = base::OrderedJson::array();
    for (const oci::Finding& finding : findings) {
        base::OrderedJson item;
        item["where"] = finding.where;
        item["rule"] = finding.rule;
        item["text"] = finding.text;
        items.push_back(std::move(item));
    }
    return base::OrderedJson{{"findings", items}}.dump(2, ' ', false,
                                                       nlohmann::json::error_handler_t::replace) +
           "\n";
}

std::string render_text(const std::vector<oci::Finding>& findings) {
    std::string text;
    for (const oci::Finding& finding : findings) {
        text += shown_line(fmt::format("{}: {}: {}", finding.where, finding.rule, finding.text)) + "\n";
    }
    return text;
}

int verify_and_print(Context& context, const Options& options) {
    std::vector<oci::Finding> findings = verify(context, options.image);
    fmt::print("{}", options.format == "json" ? render_json(findings) : render_text(findings));
    return findings.empty() ? kSuccess : kFailure;
}

}  // namespace

void add_image(CLI::App& app, Context& context) {
    CLI::App* group = app.add_subcommand("image", "Work on one image");
    group->require_subcommand(1);
    auto options = std::make_shared<Options>();
    CLI::App* command = group->add_subcommand(
        "verify", "Check an image against everything an importer enforces; exit 1 on findings");
    command->add_option("IMAGE", options->image, "Archive file, OCI layout directory, image name or ID")
        ->required();
    command->add_option("--format", options->format, "text or json")->check(CLI::IsMember({"text", "json"}));
    command->callback([&context, options] {
        context.action = [&context, options] { return verify_and_print(context, *options); };
    });
}

}  // namespace mullion::cli
