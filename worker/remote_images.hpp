// Images of registries, brought into the content store: first what says what they are, then, when somebody
// needs them, their layers.
//
//     RemoteImages remote(state, client, progress);
//     auto found = remote.find(reference, platform, rule, cancel);           // index, manifest, config
//     remote.expect(found.image.manifest.layers);                            // they begin to come
//     auto bytes = remote.open(found.image.manifest.layers[0], cancel);      // read while it comes
//
// A blob becomes visible when it is complete and verified; what is there already, or on its way, is not
// fetched again, whoever began it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/progress.hpp"
#include "cache/state.hpp"
#include "oci/image.hpp"
#include "oci/os_match.hpp"
#include "oci/push.hpp"
#include "oci/registry_client.hpp"
#include "oci/transfer_status.hpp"
#include "worker/blob_transfer.hpp"
#include "worker/snapshot.hpp"

namespace mullion::worker {

struct RemoteImage {
    oci::Image image;
    oci::Descriptor root;  // what the reference stands for: the image, or an index it is chosen from
    std::string choice;    // "windows(10.0.20348.2700)/amd64: the highest of 3 versions offered"
};

// Thread-safe. Keeps references to all it is given.
class RemoteImages {
  public:
    RemoteImages(cache::State& state, oci::RegistryClient& client, base::ProgressSink& progress)
        : state_(state), client_(client), progress_(progress) {}
    // Ends the transfers nobody waited for.
    ~RemoteImages() { stop_.cancel(); }
    RemoteImages(const RemoteImages&) = delete;
    RemoteImages& operator=(const RemoteImages&) = delete;

    // What a reference stands for; asks the registry. NotFound if there is no such thing.
    oci::Descriptor resolve(const oci::Reference& reference, const base::CancelToken& cancel);
    // The image for a platform; its documents are in the content store afterwards, leased. No layer is
    // touched. `rule` says which versions of Windows will do.
    RemoteImage find(const oci::Reference& reference, const oci::Platform& platform, const oci::OsRule& rule,
                     const base::CancelToken& cancel) {
        return find(reference, resolve(reference, cancel), platform, rule, cancel);
    }
    // The same of what the reference stands for, or once did: asks for nothing that is in the store.
    RemoteImage find(const oci::Reference& reference, oci::Descriptor root, const oci::Platform& platform,
                     const oci::OsRule& rule, const base::CancelToken& cancel);
    // The documents and configs of everything below the reference, in the content store afterwards.
    oci::ImageParts find_all(const oci::Reference& reference, const oci::Descriptor& root,
                             const base::CancelToken& cancel);

    // Brings blobs of a repository in, several at once, shown as statuses of a vertex.
    void fetch(const oci::Reference& repository, const std::vector<oci::Descriptor>& blobs,
               const base::Digest& vertex, const base::CancelToken& cancel);

    // Below, blobs of images that find() found; others are ignored.

    // They will be needed: those that are missing begin to come, a few at a time, shown as a step of their
    // own. Returns at once.
    void expect(const std::vector<oci::Descriptor>& blobs);
    // The blob as it comes (BlobTransfer::follow); null if it is of none of the images, or there already.
    std::unique_ptr<base::Source> open(const oci::Descriptor& blob, const base::CancelToken& cancel);
    // A part of the blob (RegistryClient::get_blob_part), shown as a step of its own. NotFound if the blob is
    // of none of the images.
    std::string read_part(const oci::Descriptor& blob, const oci::HttpRange& part,
                          const base::CancelToken& cancel);
    // Returns when the blob is in the store; false if it is of none of the images.
    bool fetch(const oci::Descriptor& blob, const base::CancelToken& cancel);
    // The layers of the image that the blob is of, base first; empty if it is of none.
    std::vector<WrittenLayer> layers_beside(const base::Digest& blob);
    // The repository it was found in.
    std::optional<oci::Reference> origin_of(const base::Digest& blob);

  private:
    class Documents;
    struct Origin {
        oci::Reference repository;
        std::vector<WrittenLayer> layers;
    };
    using OriginRef = std::shared_ptr<const Origin>;
    using TransferRef = std::shared_ptr<BlobTransfer>;

    bool stored(const oci::Descriptor& blob);
    void remember(const oci::Reference& repository, const oci::Image& image);
    OriginRef origin(const base::Digest& blob);
    // The blob's transfer, begun if need be; null if it is stored, or nobody knows where it is.
    TransferRef transfer(const oci::Descriptor& blob);
    void begin(const OriginRef& origin, const std::vector<oci::Descriptor>& blobs);
    void run(const Origin& origin, const std::vector<TransferRef>& transfers);
    base::VertexEvent announce(const base::Digest& digest, std::string title);
    void complete(base::VertexEvent& vertex);
    void run(const oci::Reference& repository, BlobTransfer& transfer, const oci::TransferReport& report,
             const base::CancelToken& cancel);

    cache::State& state_;
    oci::RegistryClient& client_;
    base::ProgressSink& progress_;
    std::mutex mutex_;
    std::map<base::Digest, OriginRef> origins_;      // by blob
    std::map<base::Digest, TransferRef> transfers_;  // those that have not ended well
    base::CancelSource stop_;                        // ends the transfers
    std::vector<std::jthread> threads_;
};

}  // namespace mullion::worker
