#include "oci/push.hpp"

#include <algorithm>
#include <mutex>
#include <unordered_set>

#include "base/error.hpp"
#include "oci/shown_source.hpp"
#include "oci/side_by_side.hpp"

namespace mullion::oci {
namespace {

using base::CancelToken;
using base::ErrorCode;
using base::fail;

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxDocuments = 1000;

class PartsCollector {
  public:
    PartsCollector(BlobSource& source, const CancelToken& cancel) : source_(source), cancel_(cancel) {}

    void add(const Descriptor& document, int depth) {
        if (!seen_.insert(document.digest).second) return;
        if (depth > kMaxDepth) throw fail(ErrorCode::Invalid, "indexes nested deeper than {}", kMaxDepth);
        if (parts_.documents.size() >= kMaxDocuments) {
            throw fail(ErrorCode::Invalid, "more than {} manifests and indexes", kMaxDocuments);
        }
        std::string bytes = read_blob(source_, document, Manifest::kMaxSize, cancel_);
        if (media_type::is_index(document.media_type)) {
            for (const Descriptor& entry : Index::parse(bytes).manifests) add(entry, depth + 1);
        } else {
            Manifest manifest = Manifest::parse(bytes);
            for (const Descriptor& layer : manifest.layers) add_blob(layer);
            add_blob(manifest.config);
        }
        parts_.documents.push_back({document, std::move(bytes)});
    }

    ImageParts take() { return std::move(parts_); }

  private:
    void add_blob(const Descriptor& blob) {
        if (seen_.insert(blob.digest).second) parts_.blobs.push_back(blob);
    }

    BlobSource& source_;
    const CancelToken& cancel_;
    ImageParts parts_;
    std::unordered_set<base::Digest> seen_;
};

PushedBlob push_blob(RegistryClient& client, BlobSource& source, const Descriptor& blob,
                     const Reference& repository, const PushOptions& options, const TransferReport& report,
                     const CancelToken& cancel) {
    TransferStatus status(report, "pushing " + blob.digest.string(), blob.size);
    ShownSource shown(source, status);
    auto from = options.mount_from ? options.mount_from(blob) : std::nullopt;
    PushedBlob result = client.put_blob(repository, shown, blob, from, cancel);
    switch (result) {
        case PushedBlob::Present:
            status.done_as("exists");
            break;
        case PushedBlob::Mounted:
            status.done_as("mounted");
            break;
        case PushedBlob::Uploaded:
            status.move_to(blob.size);
            break;
    }
    return result;
}

void push_documents(RegistryClient& client, const std::vector<RegistryDocument>& documents,
                    const std::vector<Reference>& names, const CancelToken& cancel) {
    for (const RegistryDocument& document : documents) {
        bool is_root = &document == &documents.back();
        if (is_root && std::any_of(names.begin(), names.end(),
                                   [](const Reference& name) { return name.tag().has_value(); })) {
            continue;
        }
        client.put_manifest(Reference::parse(names.front().name()), document, cancel);
    }
    for (const Reference& name : names) {
        if (name.tag()) client.put_manifest(name, documents.back(), cancel);
    }
}

}  // namespace

bool lives_elsewhere(const Descriptor& blob) {
    return media_type::is_foreign_layer(blob.media_type) && !blob.urls.empty();
}

ImageParts image_parts(BlobSource& source, const Descriptor& root, const CancelToken& cancel) {
    PartsCollector collector(source, cancel);
    collector.add(root, 0);
    return collector.take();
}

PushCounts push_image(RegistryClient& client, BlobSource& source, const Descriptor& root,
                      const std::vector<Reference>& names, const PushOptions& options,
                      const TransferReport& report, const CancelToken& cancel) {
    ImageParts parts = image_parts(source, root, cancel);
    if (!options.nondistributable) std::erase_if(parts.blobs, lives_elsewhere);
    std::mutex mutex;
    PushCounts counts;
    run_side_by_side(
        parts.blobs.size(), options.parallel, cancel, [&](std::size_t i, const CancelToken& token) {
            const Descriptor& blob = parts.blobs[i];
            PushedBlob result = push_blob(client, source, blob, names.front(), options, report, token);
            std::lock_guard lock(mutex);
            counts.present += result == PushedBlob::Present;
            counts.mounted += result == PushedBlob::Mounted;
            counts.uploaded += result == PushedBlob::Uploaded;
            counts.bytes += result == PushedBlob::Uploaded ? blob.size : 0;
        });
    push_documents(client, parts.documents, names, cancel);
    return counts;
}

}  // namespace mullion::oci
