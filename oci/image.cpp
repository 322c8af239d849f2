#include "oci/image.hpp"

#include <unordered_set>

#include "base/error.hpp"

namespace mullion::oci {

using base::ErrorCode;

namespace {

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxDocuments = 1000;

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

// Each document once, so that an index that names another one a thousand times over costs nothing.
class Collector {
  public:
    Collector(BlobSource& source, const base::CancelToken& cancel) : source_(source), cancel_(cancel) {}

    void collect(const Descriptor& root, int depth) {
        if (!seen_.insert(root.digest).second) return;
        if (seen_.size() > kMaxDocuments) {
            throw base::fail(ErrorCode::Invalid, "more than {} manifests and indexes", kMaxDocuments);
        }
        if (!media_type::is_index(root.media_type)) {
            images_.push_back(load_manifest(source_, root, cancel_));
            return;
        }
        if (depth == kMaxDepth) {
            throw base::fail(ErrorCode::Invalid, "indexes nested deeper than {}", kMaxDepth);
        }
        Index index = Index::parse(read_blob(source_, root, Index::kMaxSize, cancel_));
        for (const Descriptor& entry : index.manifests) {
            if (!is_attestation(entry)) collect(entry, depth + 1);
        }
    }
    std::vector<Image> take() { return std::move(images_); }

  private:
    BlobSource& source_;
    const base::CancelToken& cancel_;
    std::unordered_set<base::Digest> seen_;
    std::vector<Image> images_;
};

}  // namespace

Image load_image(BlobSource& source, const Descriptor& root, const Platform& wanted,
                 const base::CancelToken& cancel) {
    return load_manifest(source, resolve_manifest(source, root, wanted, cancel), cancel);
}

std::vector<Image> load_images(BlobSource& source, const Descriptor& root, const base::CancelToken& cancel) {
    Collector collector(source, cancel);
    collector.collect(root, 0);
    return collector.take();
}

}  // namespace mullion::oci
