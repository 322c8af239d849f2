#include "oci/image.hpp"

#include "base/error.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxManifestBytes = 4 << 20;
constexpr std::size_t kMaxConfigBytes = 8 << 20;
constexpr int kMaxIndexDepth = 4;

bool is_attestation(const Descriptor& entry) {
    return entry.annotations.contains("vnd.docker.reference.type") ||
           (entry.platform && entry.platform->os == "unknown");
}

Image read_manifest_image(BlobSource& source, const Descriptor& descriptor, const base::CancelToken& cancel) {
    std::string what = "manifest " + descriptor.digest.string();
    return base::with_context(
        [&] { return what; },
        [&] {
            Manifest manifest = Manifest::parse(read_blob(source, descriptor, kMaxManifestBytes, cancel));
            ImageConfig config =
                ImageConfig::parse(read_blob(source, manifest.config, kMaxConfigBytes, cancel));
            if (config.diff_ids.size() != manifest.layers.size()) {
                throw fail(ErrorCode::Corrupt, "{} layers, but the config names {} diff IDs",
                           manifest.layers.size(), config.diff_ids.size());
            }
            return Image{descriptor, std::move(manifest), std::move(config)};
        });
}

Index read_index(BlobSource& source, const Descriptor& descriptor, const base::CancelToken& cancel) {
    return Index::parse(read_blob(source, descriptor, kMaxManifestBytes, cancel));
}

void collect(BlobSource& source, const Descriptor& root, int depth, std::vector<Image>& images,
             const base::CancelToken& cancel) {
    if (!media_type::is_index(root.media_type)) {
        images.push_back(read_manifest_image(source, root, cancel));
        return;
    }
    if (depth == kMaxIndexDepth)
        throw fail(ErrorCode::Invalid, "indexes nested deeper than {}", kMaxIndexDepth);
    for (const Descriptor& entry : read_index(source, root, cancel).manifests) {
        if (!is_attestation(entry)) collect(source, entry, depth + 1, images, cancel);
    }
}

std::string offered(const Index& index) {
    std::string text;
    for (const Descriptor& entry : index.manifests) {
        if (is_attestation(entry)) continue;
        if (!text.empty()) text += ", ";
        text += entry.platform ? entry.platform->string() : "(no platform)";
    }
    return text.empty() ? "nothing" : text;
}

bool newer(const Descriptor& a, const Descriptor& b) {
    auto version = [](const Descriptor& entry) {
        return entry.platform ? OsVersion::parse(entry.platform->os_version) : std::nullopt;
    };
    auto left = version(a);
    auto right = version(b);
    return left && (!right || *left > *right);
}

}  // namespace

const Descriptor& select(const Index& index, const Platform& wanted) {
    const Descriptor* best = nullptr;
    for (const Descriptor& entry : index.manifests) {
        if (is_attestation(entry)) continue;
        if (entry.platform && !satisfies(*entry.platform, wanted)) continue;
        bool better = best == nullptr || (!best->platform && entry.platform) ||
                      (best->platform && entry.platform && newer(entry, *best));
        if (better) best = &entry;
    }
    if (best != nullptr) return *best;
    throw fail(ErrorCode::NotFound, "no image for platform {}; the index offers: {}", wanted.string(),
               offered(index));
}

Image read_image(BlobSource& source, const Descriptor& root, const Platform& wanted,
                 const base::CancelToken& cancel) {
    Descriptor at = root;
    for (int depth = 0; media_type::is_index(at.media_type); ++depth) {
        if (depth == kMaxIndexDepth)
            throw fail(ErrorCode::Invalid, "indexes nested deeper than {}", kMaxIndexDepth);
        at = select(read_index(source, at, cancel), wanted);
    }
    return read_manifest_image(source, at, cancel);
}

std::vector<Image> read_images(BlobSource& source, const Descriptor& root, const base::CancelToken& cancel) {
    std::vector<Image> images;
    collect(source, root, 0, images, cancel);
    return images;
}

}  // namespace mullion::oci
