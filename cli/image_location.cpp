#include "cli/image_location.hpp"

#include <array>
#include <filesystem>

#include "base/error.hpp"
#include "base/path_text.hpp"
#include "cli/image_names.hpp"
#include "cli/image_resolver.hpp"
#include "oci/registry_blobs.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using base::fail;
using Kind = ImageLocation::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 5> kSchemes = {
    {{"docker://", Kind::Registry},
     {"oci:", Kind::Layout},
     {"oci-archive:", Kind::OciArchive},
     {"docker-archive:", Kind::DockerArchive},
     {"store:", Kind::Store}}};

// PATH[:NAME]; a colon that belongs to a path that exists is part of it.
void split_path(const std::string& text, ImageLocation& location) {
    std::error_code code;
    location.path = text;
    std::size_t colon = text.find(':', base::drive_size(text));
    if (colon != std::string::npos && !std::filesystem::exists(base::to_path(text), code)) {
        location.path = text.substr(0, colon);
        location.name = text.substr(colon + 1);
    }
    if (location.path.empty()) throw fail(ErrorCode::Invalid, "\"{}\": no path", text);
}

OpenedImage open_archive(Context& context, const ImageLocation& location) {
    auto archive = oci::ImageArchive::open_path(base::to_path(location.path), context.cancel,
                                                context.state().temporary_directory());
    LayoutSpec spec;
    spec.path = location.path;
    spec.tag = location.name;
    oci::Descriptor root = find_root(*archive, spec);
    std::string name;
    for (const oci::NamedRoot& known : archive->roots()) {
        if (known.descriptor.digest == root.digest) name = known.name;
    }
    oci::BlobSource* source = archive.get();
    return {std::move(archive), source, std::move(root), std::move(name)};
}

}  // namespace

ImageLocation ImageLocation::parse(const std::string& text) {
    ImageLocation location;
    std::string rest = text;
    for (const auto& [scheme, kind] : kSchemes) {
        if (!text.starts_with(scheme)) continue;
        location.kind = kind;
        rest = text.substr(scheme.size());
        break;
    }
    if (location.kind == Kind::Registry || location.kind == Kind::Store) {
        location.name = rest;
        if (location.kind == Kind::Registry) oci::Reference::parse(rest);
    } else {
        split_path(rest, location);
    }
    return location;
}

std::string ImageLocation::string() const {
    for (const auto& [scheme, known] : kSchemes) {
        if (known != kind) continue;
        std::string text(scheme);
        if (path.empty()) return text + name;
        return text + path + (name.empty() ? "" : ":" + name);
    }
    return name;
}

OpenedImage open_image(Context& context, const ImageLocation& location) {
    if (location.kind == Kind::Registry) {
        oci::Reference reference = location.reference();
        oci::Descriptor root = context.registry().get_manifest(reference, context.cancel).descriptor;
        auto blobs = std::make_unique<oci::RegistryBlobs>(context.registry(), reference);
        oci::BlobSource* source = blobs.get();
        return {std::move(blobs), source, std::move(root), reference.string(), reference};
    }
    if (location.kind == Kind::Store) {
        cache::NamedImage image = find_image(context.state(), location.name);
        return {nullptr, &context.state().content(), image.target, image.name};
    }
    return open_archive(context, location);
}

}  // namespace mullion::cli
