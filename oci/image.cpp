#include "oci/image.hpp"

#include "base/error.hpp"

namespace mullion::oci {

using base::ErrorCode;

namespace {

constexpr int kMaxDepth = 4;

}  // namespace

Descriptor resolve_manifest(BlobSource& source, const Descriptor& root, const Platform& wanted,
                            const base::CancelToken& cancel) {
    Descriptor current = root;
    for (int depth = 0; depth <= kMaxDepth; ++depth) {
        if (media_type::is_manifest(current.media_type)) return current;
        if (!media_type::is_index(current.media_type)) {
            throw base::fail(ErrorCode::Invalid, "{}: \"{}\" is neither an image manifest nor an index",
                             current.digest.string(), current.media_type);
        }
        current = base::with_context(
            [&] { return fmt::format("index {}", current.digest.string()); },
            [&] {
                return select(Index::parse(read_blob(source, current, Index::kMaxSize, cancel)), wanted);
            });
    }
    throw base::fail(ErrorCode::Invalid, "{}: indexes nested deeper than {}", root.digest.string(),
                     kMaxDepth);
}

namespace {

Image load_manifest(BlobSource& source, const Descriptor& descriptor, const base::CancelToken& cancel) {
    return base::with_context(
        [&] { return fmt::format("image {}", descriptor.digest.string()); },
        [&] {
            Manifest manifest = Manifest::parse(read_blob(source, descriptor, Manifest::kMaxSize, cancel));
            ImageConfig config =
                ImageConfig::parse(read_blob(source, manifest.config, ImageConfig::kMaxSize, cancel));
            if (config.diff_ids.size() != manifest.layers.size()) {
                throw base::fail(ErrorCode::Corrupt, "{} layers, but {} diff IDs in the config",
                                 manifest.layers.size(), config.diff_ids.size());
            }
            return Image{descriptor, std::move(manifest), std::move(config)};
        });
}

void collect(BlobSource& source, const Descriptor& root, int depth, std::vector<Image>& images,
             const base::CancelToken& cancel) {
    if (!media_type::is_index(root.media_type)) {
        images.push_back(load_manifest(source, root, cancel));
        return;
    }
    if (depth == kMaxDepth) throw base::fail(ErrorCode::Invalid, "indexes nested deeper than {}", kMaxDepth);
    for (const Descriptor& entry : Index::parse(read_blob(source, root, Index::kMaxSize, cancel)).manifests) {
        if (!is_attestation(entry)) collect(source, entry, depth + 1, images, cancel);
    }
}

}  // namespace

Image load_image(BlobSource& source, const Descriptor& root, const Platform& wanted,
                 const base::CancelToken& cancel) {
    return load_manifest(source, resolve_manifest(source, root, wanted, cancel), cancel);
}

std::vector<Image> load_images(BlobSource& source, const Descriptor& root, const base::CancelToken& cancel) {
    std::vector<Image> images;
    collect(source, root, 0, images, cancel);
    return images;
}

}  // namespace mullion::oci
