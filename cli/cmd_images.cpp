#include <fmt/format.h>

#include <memory>

#include "base/file_time.hpp"
#include "base/json.hpp"
#include "cli/byte_text.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/table.hpp"
#include "oci/image.hpp"
#include "oci/reference.hpp"

namespace mullion::cli {
namespace {

struct Options {
    std::string format = "table";
    bool quiet = false;
    bool no_trunc = false;
};

// One line: a name and one platform of what it names.
struct Row {
    std::string repository;
    std::string tag;
    std::string id;        // of what the name stands for: the image, or the index of several
    std::string manifest;  // of the image
    std::string platform;
    std::optional<base::FileTime> created;
    std::uint64_t size = 0;  // of the compressed blobs

    std::string name() const { return repository + ":" + tag; }
};

std::vector<Row> list_rows(Context& context) {
    std::vector<Row> rows;
    cache::State& state = context.state();
    for (const cache::NamedImage& named : state.images().list()) {
        oci::Reference reference = oci::Reference::parse(named.name);
        std::string familiar = reference.familiar();
        for (const oci::Image& image : oci::load_images(state.content(), named.target, context.cancel)) {
            Row row;
            row.tag = reference.tag().value_or("<none>");
            row.repository = reference.tag() ? familiar.substr(0, familiar.rfind(':')) : familiar;
            row.id = named.target.digest.string();
            row.manifest = image.descriptor.digest.string();
            row.platform = image.config.platform.string();
            row.created = image.config.created;
            row.size = image.manifest.config.size;
            for (const oci::Descriptor& layer : image.manifest.layers) row.size += layer.size;
            rows.push_back(std::move(row));
        }
    }
    return rows;
}

std::string shown_id(const Row& row, bool whole) {
    return whole ? row.id : row.id.substr(7, 12);
}

std::string render_table(const std::vector<Row>& rows, const Options& options) {
    std::vector<std::vector<std::string>> cells = {
        {"REPOSITORY", "TAG", "IMAGE ID", "CREATED", "PLATFORM", "SIZE"}};
    std::int64_t now = base::FileTime::now().seconds();
    for (const Row& row : rows) {
        cells.push_back({row.repository, row.tag, shown_id(row, options.no_trunc),
                         row.created ? human_age(now - row.created->seconds()) : "N/A", row.platform,
                         human_size(row.size)});
    }
    return format_table(cells);
}

// One object a line, as docker's `--format json`.
std::string render_json(const std::vector<Row>& rows) {
    std::string text;
    for (const Row& row : rows) {
        base::OrderedJson item;
        item["Repository"] = row.repository;
        item["Tag"] = row.tag;
        item["ID"] = row.id;
        item["Manifest"] = row.manifest;
        item["CreatedAt"] = row.created ? row.created->rfc3339() : "";
        item["Platform"] = row.platform;
        item["Size"] = row.size;
        text += item.dump() + "\n";
    }
    return text;
}

int list_images(Context& context, const Options& options) {
    std::vector<Row> rows = list_rows(context);
    std::string text;
    if (options.quiet) {
        // An index has a row per platform, but one ID.
        for (std::size_t i = 0; i < rows.size(); ++i) {
            bool repeated = i > 0 && rows[i].id == rows[i - 1].id && rows[i].name() == rows[i - 1].name();
            if (!repeated) text += shown_id(rows[i], options.no_trunc) + "\n";
        }
    } else {
        text = options.format == "json" ? render_json(rows) : render_table(rows, options);
    }
    fmt::print("{}", text);
    return kSuccess;
}

}  // namespace

void add_images(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* command = app.add_subcommand("images", "List the images of the local store");
    command->add_option("--format", options->format, "table or json")
        ->check(CLI::IsMember({"table", "json"}));
    command->add_flag("-q,--quiet", options->quiet, "Only IDs");
    command->add_flag("--no-trunc", options->no_trunc, "Whole IDs");
    command->callback([&context, options] {
        context.action = [&context, options] { return list_images(context, *options); };
    });
}

}  // namespace mullion::cli
