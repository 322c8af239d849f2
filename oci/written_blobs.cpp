#include "oci/written_blobs.hpp"

#include "base/error.hpp"

namespace mullion::oci {

using base::ErrorCode;

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
        if (contains(blob.digest) || media_type::is_foreign_layer(blob.media_type)) return;
        throw base::fail(ErrorCode::Invalid,
                         "the image is incomplete: blob {} of manifest {} was not written",
                         blob.digest.string(), descriptor.digest.string());
    };
    require(parsed.config);
    for (const Descriptor& layer : parsed.layers) require(layer);
}

void WrittenBlobs::check_complete(const std::vector<NamedRoot>& roots) const {
    for (const NamedRoot& root : roots) {
        if (media_type::is_manifest(root.descriptor.media_type)) {
            check_manifest(root.descriptor);
            continue;
        }
        for (const Descriptor& entry : index(root.descriptor).manifests) {
            if (media_type::is_manifest(entry.media_type) && contains(entry.digest)) check_manifest(entry);
        }
    }
}

void verify_bytes(const Descriptor& descriptor, std::string_view bytes) {
    if (bytes.size() != descriptor.size || base::Digest::of(bytes) != descriptor.digest) {
        throw base::fail(ErrorCode::Corrupt, "the bytes given for {} do not match their descriptor",
                         descriptor.digest.string());
    }
}

}  // namespace mullion::oci
