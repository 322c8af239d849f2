#include "oci/written_blobs.hpp"

#include "base/error.hpp"

namespace mullion::oci {

using base::ErrorCode;

namespace {

constexpr int kMaxDepth = 4;

}  // namespace

void WrittenBlobs::add_document(const Descriptor& descriptor, std::string bytes) {
    add(descriptor);
    documents_.emplace(descriptor.digest, std::move(bytes));
}

const std::string& WrittenBlobs::document(const Descriptor& descriptor) const {
    if (auto found = documents_.find(descriptor.digest); found != documents_.end()) return found->second;
    throw base::fail(ErrorCode::Invalid, "the image is incomplete: {} {} was not written",
                     descriptor.media_type, descriptor.digest.string());
}

Manifest WrittenBlobs::manifest(const Descriptor& descriptor) const {
    return Manifest::parse(document(descriptor));
}

Index WrittenBlobs::index(const Descriptor& descriptor) const {
    return Index::parse(document(descriptor));
}

void WrittenBlobs::check_manifest(const Descriptor& descriptor) const {
    Manifest parsed = manifest(descriptor);
    auto require = [&](const Descriptor& blob) {
        bool elsewhere = media_type::is_foreign_layer(blob.media_type) && !blob.urls.empty();
        if (contains(blob.digest) || elsewhere) return;
        throw base::fail(ErrorCode::Invalid,
                         "the image is incomplete: blob {} of manifest {} was not written",
                         blob.digest.string(), descriptor.digest.string());
    };
    require(parsed.config);
    for (const Descriptor& layer : parsed.layers) require(layer);
}

// Each document once: indexes may name one another many times over.
void WrittenBlobs::check_document(const Descriptor& descriptor, int depth,
                                  std::unordered_set<base::Digest>& seen) const {
    if (!seen.insert(descriptor.digest).second) return;
    if (media_type::is_manifest(descriptor.media_type)) return check_manifest(descriptor);
    if (depth == kMaxDepth) {
        throw base::fail(ErrorCode::Invalid, "index {}: indexes nested deeper than {}",
                         descriptor.digest.string(), kMaxDepth);
    }
    for (const Descriptor& entry : index(descriptor).manifests) {
        if (is_document(entry) && contains(entry.digest)) check_document(entry, depth + 1, seen);
    }
}

void WrittenBlobs::check_complete(const std::vector<NamedRoot>& roots) const {
    std::unordered_set<base::Digest> seen;
    for (const NamedRoot& root : roots) check_document(root.descriptor, 0, seen);
}

void verify_bytes(const Descriptor& descriptor, std::string_view bytes) {
    if (bytes.size() != descriptor.size || base::Digest::of(bytes) != descriptor.digest) {
        throw base::fail(ErrorCode::Corrupt, "the bytes given for {} do not match their descriptor",
                         descriptor.digest.string());
    }
}

}  // namespace mullion::oci
