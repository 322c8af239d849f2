#include <fmt/format.h>
#include <map>
#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "cli/commands.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_names.hpp"
#include "oci/image.hpp"
#include "oci/layout.hpp"
#include "worker/exporter.hpp"

namespace mullion::cli {
namespace {

struct Options {
    std::string input;
    std::string name;
    bool quiet = false;
};

// Archives are read by offset, so a pipe is spooled to a file first.
std::filesystem::path spool_stdin(const base::TempDir& directory) {
    std::filesystem::path path = directory.path() / "archive";
    base::AtomicFile file(path);
    base::FileSource input(base::duplicate(base::kStandardInput), 0, UINT64_MAX);
    base::copy(input, file);
    file.finish();
    return path;
}

void ingest(cache::ContentStore& store, oci::BlobSource& archive, const oci::Descriptor& root,
            const base::CancelToken& cancel) {
    for (const oci::Image& image : oci::load_images(archive, root, cancel)) {
        for (const oci::Descriptor& layer : image.manifest.layers) store.ingest(archive, layer, cancel);
        store.ingest(archive, image.manifest.config, cancel);
        store.ingest(archive, image.descriptor, cancel);
    }
    store.ingest(archive, root, cancel);
}

// In a layout, a name without a separator is a tag (OCI image-spec, annotations.md): of what, nobody says.
std::string name_of(const oci::NamedRoot& root, const std::string& given) {
    bool whole = root.name.find_first_of(":/@") != std::string::npos;
    if (whole) return worker::new_image_name(root.name);
    if (!given.empty()) return worker::new_image_name(root.name.empty() ? given : given + ":" + root.name);
    throw base::fail(base::ErrorCode::Invalid, "the image {} has no name in the archive{}",
                     root.descriptor.digest.string(),
                     root.name.empty() ? "" : ", only the tag \"" + root.name + "\"")
        .hint("give it one: --name NAME");
}

int load(Context& context, const Options& options) {
    cache::State& state = context.state();
    base::TempDir temporary(state.temporary_directory(), "load");
    bool from_stdin = options.input.empty() || options.input == "-";
    std::filesystem::path path = from_stdin ? spool_stdin(temporary) : base::to_path(options.input);
    auto archive = oci::ImageArchive::open_path(path, context.cancel, temporary.path());
    if (archive->roots().empty()) {
        throw base::fail(base::ErrorCode::Invalid, "{} holds no image",
                         from_stdin ? "standard input" : options.input);
    }
    std::map<std::string, oci::Descriptor> images;
    for (const oci::NamedRoot& root : archive->roots()) {
        if (!images.emplace(name_of(root, options.name), root.descriptor).second) {
            throw base::fail(base::ErrorCode::Invalid, "two images of the archive are called {}",
                             name_of(root, options.name));
        }
    }
    for (const auto& [name, root] : images) {
        ingest(state.content(), *archive, root, context.cancel);
        state.images().put(name, root);
        if (!options.quiet) fmt::print("Loaded image: {}\n", short_name(name));
    }
    return kSuccess;
}

}  // namespace

void add_load(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* command =
        app.add_subcommand("load", "Load images from an OCI or docker archive, or an OCI layout directory");
    command->add_option("-i,--input", options->input, "File or directory (default: standard input)");
    command->add_option("--name", options->name,
                        "Name of an image that has none, or only a tag, in the archive");
    command->add_flag("-q,--quiet", options->quiet, "Do not print the names");
    command->callback(
        [&context, options] { context.action = [&context, options] { return load(context, *options); }; });
}

}  // namespace mullion::cli
