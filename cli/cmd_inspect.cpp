#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_names.hpp"
#include "cli/report.hpp"
#include "oci/image.hpp"

namespace mullion::cli {
namespace {

// The shape of `docker image inspect`, plus OsVersion and the manifest's descriptor.
base::OrderedJson describe(const cache::NamedImage& named, const oci::Image& image) {
    base::Json config = base::parse_json(image.config.json(), "config");
    base::OrderedJson item;
    item["Id"] = image.descriptor.digest.string();
    item["RepoTags"] = {short_name(named.name)};
    item["Created"] = image.config.created ? image.config.created->rfc3339() : "";
    item["Author"] = image.config.author;
    item["Architecture"] = image.config.platform.architecture;
    item["Os"] = image.config.platform.os;
    item["OsVersion"] = image.config.platform.os_version;
    item["Config"] = config.value("config", base::Json::object());
    std::uint64_t size = 0;
    for (const oci::Descriptor& layer : image.manifest.layers) size += layer.size;
    item["Size"] = size;
    base::OrderedJson layers = base::OrderedJson::array();
    for (const base::DiffId& diff_id : image.config.diff_ids) layers.push_back(diff_id.digest.string());
    item["RootFS"] = {{"Type", "layers"}, {"Layers", layers}};
    item["History"] = config.value("history", base::Json::array());
    if (named.target.digest != image.descriptor.digest) item["Index"] = named.target.digest.string();
    item["Descriptor"] = {{"mediaType", image.descriptor.media_type},
                          {"digest", image.descriptor.digest.string()},
                          {"size", image.descriptor.size}};
    return item;
}

// The documents' own bytes.
int print_raw(Context& context, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        cache::NamedImage named = find_image(context.state(), name);
        std::string bytes =
            oci::read_blob(context.state().content(), named.target, oci::Manifest::kMaxSize, context.cancel);
        std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    }
    return kSuccess;
}

int inspect(Context& context, const std::vector<std::string>& names) {
    base::OrderedJson items = base::OrderedJson::array();
    int code = kSuccess;
    for (const std::string& name : names) {
        try {
            cache::NamedImage named = find_image(context.state(), name);
            for (const oci::Image& image :
                 oci::load_images(context.state().content(), named.target, context.cancel)) {
                items.push_back(describe(named, image));
            }
        } catch (const base::Error& error) {
            report_error(error, "", context.debug);
            code = kFailure;
        }
    }
    fmt::print("{}\n", items.dump(4));
    return code;
}

}  // namespace

void add_inspect(CLI::App& app, Context& context) {
    auto names = std::make_shared<std::vector<std::string>>();
    CLI::App* command = app.add_subcommand("inspect", "Show images in detail, as JSON");
    command->add_option("IMAGE", *names, "Image names or IDs")->required()->take_all();
    auto raw = std::make_shared<bool>(false);
    command->add_flag("--raw", *raw, "Print the manifest or index, as it is");
    command->callback([&context, names, raw] {
        context.action = [&context, names, raw] {
            return *raw ? print_raw(context, *names) : inspect(context, *names);
        };
    });
}

}  // namespace mullion::cli
