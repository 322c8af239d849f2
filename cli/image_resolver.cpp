#include "cli/image_resolver.hpp"

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "cli/platform_choice.hpp"
#include "oci/image.hpp"
#include "worker/image_registry.hpp"
#include "worker/seen_names.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;

std::string root_names(const oci::ImageArchive& archive) {
    std::string text;
    for (const oci::NamedRoot& root : archive.roots()) {
        if (!text.empty()) text += ", ";
        text += root.name.empty() ? root.descriptor.digest.string() : root.name;
    }
    return text.empty() ? "nothing" : text;
}

bool has_tag(const oci::NamedRoot& root, const std::string& tag) {
    return root.name == tag || (root.name.size() > tag.size() && root.name.ends_with(":" + tag));
}

bool exists(const std::string& path) {
    std::error_code code;
    return std::filesystem::exists(base::to_path(path), code);
}

// An image below `root`, and what the front end wants to know of it.
struct Found {
    oci::Image image;
    std::string offered_instead;
    std::string choice;
};

Found find_matching(oci::BlobSource& source, const oci::Descriptor& root, const oci::Platform& platform,
                    const oci::OsRule& rule, const std::string& name, const base::CancelToken& cancel) {
    oci::ChosenImage chosen = matching_image(source, root, platform, rule, name, cancel);
    std::string instead = offered_instead(source, root, chosen.image, platform, cancel);
    return {std::move(chosen.image), std::move(instead), std::move(chosen.choice)};
}

frontend::ResolvedImage resolved(std::string reference, Found found, std::string store) {
    return {.reference = std::move(reference),
            .manifest_digest = found.image.descriptor.digest,
            .config = std::move(found.image.config),
            .store = std::move(store),
            .offered_instead = std::move(found.offered_instead),
            .choice = std::move(found.choice)};
}

bool is_unreachable(const base::Error& error) {
    return error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::TimedOut;
}

std::string shown(const worker::SeenName& seen) {
    base::FileTime second = seen.time;
    second.ticks -= second.ticks % base::FileTime::kTicksPerSecond;
    return fmt::format("{}, seen {}", seen.root.digest.string(), second.rfc3339());
}

}  // namespace

frontend::ResolvedImage StoreImageResolver::resolve_image(const oci::Reference& reference,
                                                          const oci::Platform& platform,
                                                          const base::CancelToken& cancel) {
    std::optional<oci::Descriptor> target;
    if (!choice_.always_pull || reference.digest()) {
        target = reference.digest() ? find_pinned(reference, cancel) : find_named(reference);
    }
    if (!target) return resolve_remote(reference, platform, cancel);
    // Leased until the build ends: nobody else's clean-up takes what it stands upon.
    state_.content().contains(target->digest);
    Found found =
        find_matching(state_.content(), *target, platform, choice_.rule, reference.familiar(), cancel);
    std::string pinned = reference.with_digest(found.image.descriptor.digest).string();
    return resolved(std::move(pinned), std::move(found), "");
}

frontend::ResolvedImage StoreImageResolver::resolve_remote(const oci::Reference& reference,
                                                           const oci::Platform& platform,
                                                           const base::CancelToken& cancel) {
    if (remote_ == nullptr) {
        throw fail(ErrorCode::NotFound, "{}: not in the local store", reference.familiar());
    }
    try {
        auto [remote, warning] = find_remote(reference, platform, cancel);
        std::string instead = offered_instead(state_.content(), remote.root, remote.image, platform, cancel);
        std::string pinned = reference.with_digest(remote.image.descriptor.digest).string();
        frontend::ResolvedImage image = resolved(
            std::move(pinned), {std::move(remote.image), std::move(instead), std::move(remote.choice)}, "");
        image.warning = std::move(warning);
        return image;
    } catch (base::Error& error) {
        if (error.code() == ErrorCode::NotFound) {
            error.hint(
                fmt::format("check the name; an image that no registry has comes by --build-context "
                            "{}=oci-layout://DIR, or \"mullion load\" it first",
                            reference.familiar()));
        }
        throw;
    }
}

StoreImageResolver::RemoteFind StoreImageResolver::find_remote(const oci::Reference& reference,
                                                               const oci::Platform& platform,
                                                               const base::CancelToken& cancel) {
    try {
        worker::RemoteImage image = remote_->find(reference, platform, choice_.rule, cancel);
        worker::remember_name(state_.keys(), reference, {image.root, base::FileTime::now()});
        return {std::move(image), {}};
    } catch (const base::Error& error) {
        if (choice_.always_pull || !is_unreachable(error)) throw;
        auto seen = worker::find_seen_name(state_.keys(), reference);
        if (!seen || !state_.content().contains(seen->root.digest)) throw;
        worker::RemoteImage image = remote_->find(reference, seen->root, platform, choice_.rule, cancel);
        if (reference.digest()) return {std::move(image), {}};  // what it stands for cannot change
        return {std::move(image),
                fmt::format("{}; taken for what it last stood for: {}", error.what(), shown(*seen))};
    }
}

std::optional<oci::Descriptor> StoreImageResolver::find_named(const oci::Reference& reference) {
    auto named = state_.images().find(reference.string());
    return named ? std::optional(named->target) : std::nullopt;
}

// Whatever tag it is stored under: the digest says which image is meant.
std::optional<oci::Descriptor> StoreImageResolver::find_pinned(const oci::Reference& reference,
                                                               const base::CancelToken& cancel) {
    for (const cache::NamedImage& named : state_.images().list()) {
        if (oci::Reference::parse(named.name).name() != reference.name()) continue;
        if (named.target.digest == *reference.digest()) return named.target;
        for (const oci::Image& image : oci::load_images(state_.content(), named.target, cancel)) {
            if (image.descriptor.digest == *reference.digest()) return image.descriptor;
        }
    }
    return {};
}

frontend::ResolvedImage StoreImageResolver::resolve_layout(std::string_view layout,
                                                           const oci::Platform& platform,
                                                           const base::CancelToken& cancel) {
    LayoutSpec spec = LayoutSpec::parse(layout);
    auto archive =
        oci::ImageArchive::open_path(base::to_path(spec.path), cancel, state_.temporary_directory());
    std::string name = "oci-layout://" + spec.path;
    Found found = find_matching(*archive, find_root(*archive, spec), platform, choice_.rule, name, cancel);
    std::string pinned = name + "@" + found.image.descriptor.digest.string();
    return resolved(std::move(pinned), std::move(found), spec.path);
}

std::optional<std::string> StoreImageResolver::machine_path(const frontend::ResolvedImage& image,
                                                            const base::CancelToken& cancel) {
    try {
        return worker::machine_path(worker_, image.store, image.manifest_digest, cancel).value_or("");
    } catch (base::Error& error) {
        error.add_frame("reading the PATH of " + image.reference, std::source_location::current());
        error.hint(
            "if the image is to be used as it is, write the whole PATH in ENV, without ${PATH} or %PATH%");
        throw;
    }
}

LayoutSpec LayoutSpec::parse(std::string_view text) {
    LayoutSpec spec;
    spec.path = text;
    if (std::size_t at = spec.path.rfind('@'); at != std::string::npos && !exists(spec.path)) {
        spec.digest = spec.path.substr(at + 1);
        spec.path.erase(at);
    }
    std::size_t colon = spec.path.rfind(':');
    bool is_tag = colon != std::string::npos && colon >= base::drive_size(spec.path) &&
                  spec.path.find('/', colon) == std::string::npos;
    if (is_tag && !exists(spec.path)) {
        spec.tag = spec.path.substr(colon + 1);
        spec.path.erase(colon);
    }
    if (spec.path.empty()) throw fail(ErrorCode::Invalid, "oci-layout://{}: no directory", text);
    return spec;
}

oci::Descriptor find_root(const oci::ImageArchive& archive, const LayoutSpec& spec) {
    std::vector<const oci::NamedRoot*> matches;
    for (const oci::NamedRoot& root : archive.roots()) {
        bool matching = spec.digest.empty() ? spec.tag.empty() || has_tag(root, spec.tag)
                                            : root.descriptor.digest.string() == spec.digest;
        bool known = std::any_of(matches.begin(), matches.end(), [&](const oci::NamedRoot* other) {
            return other->descriptor.digest == root.descriptor.digest;
        });
        if (matching && !known) matches.push_back(&root);
    }
    if (matches.size() == 1) return matches.front()->descriptor;
    throw fail(matches.empty() ? ErrorCode::NotFound : ErrorCode::Invalid, "{} in {}{}; it holds: {}",
               matches.empty() ? "no such image" : "more than one image", spec.path,
               spec.tag.empty() ? "" : " tagged " + spec.tag, root_names(archive))
        .hint("name one: oci-layout://DIR:TAG or oci-layout://DIR@DIGEST");
}

}  // namespace mullion::cli
