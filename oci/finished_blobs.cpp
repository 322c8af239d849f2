#include "oci/finished_blobs.hpp"

#include "base/error.hpp"

namespace mullion::oci {
namespace {

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxDocuments = 1000;

}  // namespace

void FinishedBlobs::add(BlobSource& layout, const std::vector<Descriptor>& roots,
                        const base::CancelToken& cancel) {
    for (const Descriptor& root : roots) add_document(layout, root, 0, cancel);
}

void FinishedBlobs::add_document(BlobSource& layout, const Descriptor& descriptor, int depth,
                                 const base::CancelToken& cancel) {
    bool is_index = media_type::is_index(descriptor.media_type);
    if (depth > kMaxDepth || (!is_index && !media_type::is_manifest(descriptor.media_type))) return;
    if (documents_.size() == kMaxDocuments || !documents_.insert(descriptor.digest).second) return;
    try {
        std::string bytes = read_blob(layout, descriptor, Manifest::kMaxSize, cancel);
        if (is_index) {
            for (const Descriptor& entry : Index::parse(bytes).manifests) {
                add_document(layout, entry, depth + 1, cancel);
            }
            return;
        }
        Manifest manifest = Manifest::parse(bytes);
        sizes_.emplace(manifest.config.digest, manifest.config.size);
        for (const Descriptor& layer : manifest.layers) sizes_.emplace(layer.digest, layer.size);
    } catch (const base::Error& error) {
        if (error.code() == base::ErrorCode::Canceled) throw;
    }
}

bool FinishedBlobs::contains(const Descriptor& blob) const {
    auto found = sizes_.find(blob.digest);
    return found != sizes_.end() && found->second == blob.size;
}

}  // namespace mullion::oci
