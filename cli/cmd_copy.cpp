#include <fmt/format.h>

#include <memory>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "cli/commands.hpp"
#include "cli/display.hpp"
#include "cli/exit_code.hpp"
#include "cli/image_location.hpp"
#include "cli/image_names.hpp"
#include "cli/os_options.hpp"
#include "cli/progress_vertex.hpp"
#include "oci/push.hpp"
#include "oci/put_blobs.hpp"
#include "oci/shown_source.hpp"
#include "oci/side_by_side.hpp"

namespace mullion::cli {
namespace {

using Kind = ImageLocation::Kind;

struct Options {
    std::string source;
    std::string target;
    std::string platform;
    OsFlags os;
    bool nondistributable = false;
    bool quiet = false;
    std::string progress = "auto";
};

struct Request {
    ImageLocation source;
    ImageLocation target;
    std::optional<oci::Platform> platform;  // nullopt: all that there is
    oci::OsRule rule;
    bool nondistributable = false;
    DisplayMode mode;
};

Request make_request(const Options& options) {
    Request request{ImageLocation::parse(options.source),
                    ImageLocation::parse(options.target),
                    {},
                    parse_os_rule(options.os),
                    options.nondistributable,
                    parse_display_mode(options.quiet ? "quiet" : options.progress)};
    if (!options.platform.empty()) request.platform = oci::Platform::parse(options.platform);
    bool chooses = options.os.given() && request.rule.match != oci::OsMatch::Base;
    if (!request.platform && chooses) request.platform = oci::Platform();
    return request;
}

// How the copy is called there: what was said, else what it was called before.
std::string target_name(const ImageLocation& target, const OpenedImage& image) {
    const std::string& name = target.name.empty() ? image.name : target.name;
    if (name.empty()) return {};
    bool only_tag = name.find_first_of(":/@") == std::string::npos;
    if (only_tag && target.kind != Kind::Store && !image.name.empty()) {
        // "oci:DIR:1.0": the tag of what it was called before.
        return oci::Reference::parse(oci::Reference::parse(image.name).name() + ":" + name).string();
    }
    oci::Reference reference = oci::Reference::parse(name);
    if (!reference.digest()) return reference.with_default_tag().string();
    return reference.tag() ? reference.name() + ":" + *reference.tag() : std::string();
}

void push_copy(Context& context, const Request& request, const OpenedImage& image,
               const oci::TransferReport& report) {
    oci::PushOptions options{.nondistributable = request.nondistributable};
    options.mount_from = [&](const oci::Descriptor&) { return image.repository; };
    oci::push_image(context.registry(), *image.source, image.root, {request.target.reference()}, options,
                    report, context.cancel);
}

// `waiting_room`: for blobs that arrive before their turn.
void write_parts(oci::ImageWriter& writer, const OpenedImage& image, const Request& request,
                 const std::filesystem::path& waiting_room, const oci::TransferReport& report,
                 const base::CancelToken& cancel) {
    oci::ImageParts parts = oci::image_parts(*image.source, image.root, cancel);
    if (!request.nondistributable) std::erase_if(parts.blobs, oci::lives_elsewhere);
    oci::put_blobs(writer, *image.source, parts.blobs, waiting_room, report, cancel);
    for (const oci::RegistryDocument& document : parts.documents) {
        writer.put_bytes(document.descriptor, document.bytes);
    }
    writer.finish({{target_name(request.target, image), image.root}});
}

void store_parts(Context& context, const OpenedImage& image, const Request& request,
                 const oci::TransferReport& report) {
    cache::ContentStore& store = context.state().content();
    oci::ImageParts parts = oci::image_parts(*image.source, image.root, context.cancel);
    constexpr std::size_t kParallel = 4;
    oci::run_side_by_side(parts.blobs.size(), kParallel, context.cancel,
                          [&](std::size_t i, const base::CancelToken& cancel) {
                              const oci::Descriptor& blob = parts.blobs[i];
                              oci::TransferStatus status(report, blob.digest.string(), blob.size);
                              oci::ShownSource shown(*image.source, status);
                              store.ingest(shown, blob, cancel);
                              status.move_to(blob.size);
                          });
    for (const oci::RegistryDocument& document : parts.documents) store.put_bytes(document.bytes);
    std::string name = target_name(request.target, image);
    if (name.empty()) throw base::fail(base::ErrorCode::Invalid, "store: under which name? Say store:NAME");
    context.state().images().put(name, image.root);
}

void write_copy(Context& context, const Request& request, const OpenedImage& image,
                const oci::TransferReport& report) {
    const ImageLocation& target = request.target;
    switch (target.kind) {
        case Kind::Registry:
            return push_copy(context, request, image, report);
        case Kind::Store:
            return store_parts(context, image, request, report);
        case Kind::Layout:
            return write_parts(*oci::write_oci_layout(base::to_path(target.path)), image, request, {}, report,
                               context.cancel);
        case Kind::OciArchive:
        case Kind::DockerArchive:
            base::AtomicFile file(base::to_path(target.path));
            auto writer = target.kind == Kind::OciArchive ? oci::write_oci_archive(file)
                                                          : oci::write_docker_archive(file);
            // What comes from a file comes no sooner for being asked for early.
            const bool is_far = request.source.kind == Kind::Registry;
            write_parts(*writer, image, request,
                        is_far ? context.state().temporary_directory() : std::filesystem::path(), report,
                        context.cancel);
            return file.finish();
    }
}

int copy(Context& context, const Request& request) {
    std::string title = "copying " + request.source.string() + " to " + request.target.string();
    oci::Descriptor root = [&] {
        std::unique_ptr<Display> display = make_display(request.mode);
        oci::TransferReport report{*display, ProgressVertex::digest_of(title)};
        return with_vertex(*display, title, [&] {
            OpenedImage image = open_image(context, request.source);
            if (request.platform) {
                image.root = oci::load_chosen_image(*image.source, image.root, *request.platform,
                                                    request.rule, context.cancel)
                                 .image.descriptor;
                image.root.annotations.clear();
            }
            write_copy(context, request, image, report);
            return image.root;
        });
    }();
    fmt::print("{}\n", root.digest.string());
    return kSuccess;
}

}  // namespace

void add_copy(CLI::App& app, Context& context) {
    auto options = std::make_shared<Options>();
    CLI::App* command =
        app.add_subcommand("copy", "Copy an image between registries, archives, layouts and the local store");
    constexpr const char* kForms =
        "[docker://]NAME, oci:DIR[:TAG], oci-archive:FILE[:NAME], docker-archive:FILE[:NAME] or store:NAME";
    command->add_option("SRC", options->source, kForms)->required();
    command->add_option("DST", options->target, kForms)->required();
    command->add_option("--platform", options->platform,
                        "Of an index: only the image for this platform (default: all of it)");
    add_os_options(*command, options->os);
    command->add_flag("--allow-nondistributable-artifacts", options->nondistributable,
                      "Also layers that have URLs of their own");
    command->add_option("--progress", options->progress, "How progress is shown (default: auto)")
        ->check(CLI::IsMember({"auto", "tty", "plain", "rawjson", "quiet"}));
    command->add_flag("-q,--quiet", options->quiet, "Print only the digest");
    command->callback([&context, options] {
        auto request = std::make_shared<Request>(make_request(*options));
        context.action = [&context, request] { return copy(context, *request); };
    });
}

}  // namespace mullion::cli
