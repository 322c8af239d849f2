// Every blob a build can reach: those of the content store, those of OCI layouts given as named contexts,
// which are copied into the store when something reads files of them, and those of registries, which are
// fetched into it.
//
// What an image says of itself is a claim: its config may name the diff IDs of another image over blobs of
// its own. A layer is read by its diff ID (then anything stored under it will do: it was digested); a blob
// goes into an image we write, or is read as that layer, only once its bytes were digested to the diff ID.
// The one exception is a base layer that a registry takes from itself (docs/decisions/0010).
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cache/layer_chunks.hpp"
#include "cache/state.hpp"
#include "oci/http_client.hpp"
#include "oci/image.hpp"
#include "oci/layout.hpp"
#include "oci/reference.hpp"
#include "tree/layer_tar.hpp"
#include "worker/layer_spool.hpp"
#include "worker/snapshot.hpp"

namespace mullion::worker {

class RemoteImages;

// Blobs that are fetched from their own URLs need not be here.
bool may_be_absent(const oci::Descriptor& layer);

// Thread-safe.
class Blobs final : public oci::BlobSource {
  public:
    // `layouts`: store name (solver::ImageSource::store) -> OCI layout or archive. Opened at first use.
    // `remote` is not owned; null: there is none.
    Blobs(cache::State& state, std::map<std::string, std::filesystem::path> layouts,
          RemoteImages* remote = nullptr)
        : state_(state), layouts_(std::move(layouts)), remote_(remote) {}

    // The content store's blob, else the first layout's that has it, else a registry's, as it comes into the
    // store. NotFound if none does.
    std::unique_ptr<base::Source> open(const oci::Descriptor& descriptor,
                                       const base::CancelToken& cancel) override;
    bool reachable(const oci::Descriptor& descriptor, const base::CancelToken& cancel);
    // Is the blob in a registry and nowhere nearer?
    bool only_remote(const oci::Descriptor& descriptor, const base::CancelToken& cancel);
    // Copies the blob into the content store unless it is there. Verified.
    void ensure(const oci::Descriptor& descriptor, const base::CancelToken& cancel);

    // The image with this manifest in a store ("" = content store). NotFound, Corrupt, Invalid.
    oci::Image read_image(const std::string& store, const base::Digest& manifest,
                          const base::CancelToken& cancel);
    // A stack of written layers, base first. Equal stacks are one Snapshot, prefixes included: what one of
    // them knows of its Tree, all do.
    SnapshotRef stack(const oci::Platform& platform, const std::vector<WrittenLayer>& layers);

    // The images that ops of this build stand upon, by what they consist of. A cached result gets the blobs
    // of the build's own image, not of the one it was made upon: those may be compressed otherwise.
    void add_image(const std::vector<WrittenLayer>& layers);
    // `layers` with its lowest layers, those of an image, replaced; as they are if the build has no such
    // image.
    std::vector<WrittenLayer> on_own_image(std::vector<WrittenLayer> layers);

    // The Delta of a written layer: from the stored index, else from its blob, which is in the content store
    // afterwards. Corrupt if the blob is not that layer.
    DeltaRef delta_of(const WrittenLayer& layer, tree::Os os, const base::CancelToken& cancel);
    // Throws Corrupt unless the blob decompresses to the layer's diff ID. Reads it once, wherever it lies.
    void verify(const WrittenLayer& layer, const base::CancelToken& cancel);
    // The repository a blob was found in, if it was a registry's.
    std::optional<oci::Reference> origin_of(const base::Digest& blob);
    // Reads a layer whose Delta is known, once, wherever it lies: as it comes, if it is in a registry. Its
    // blob is in the content store afterwards. NotFound, Corrupt.
    void stream(const base::DiffId& diff_id, tree::LayerReadOptions options, const base::CancelToken& cancel);
    // Makes the index of a layer that has none, and puts its files aside for take_spool().
    void spool(const WrittenLayer& layer, tree::Os os, const base::CancelToken& cancel);
    // Null if there is none, or somebody took it. To be taken once.
    std::unique_ptr<LayerSpool> take_spool(const base::DiffId& diff_id);
    // Soon needed: what a registry has of them begins to come. Returns at once.
    void expect(const std::vector<oci::Descriptor>& blobs);
    // Opens contents wherever they lie.
    tree::ContentProvider& contents() { return contents_; }
    cache::State& state() { return state_; }

  private:
    // Brings the blob of a layer in when somebody reads a file of it.
    class Contents final : public tree::ContentProvider {
      public:
        explicit Contents(Blobs& blobs) : blobs_(blobs) {}
        std::unique_ptr<base::Source> open(const tree::Content& content,
                                           const base::CancelToken& cancel) override;
        void on_digest(const tree::Content& content, const base::Digest& digest,
                       base::FileTime opened) override;

      private:
        Blobs& blobs_;
    };

    // A layer whose index was enough so far. The mutex lets one thread fetch the blob.
    struct Unfetched {
        explicit Unfetched(WrittenLayer l) : layer(std::move(l)) {}
        const WrittenLayer layer;
        std::mutex mutex;
        std::atomic<bool> fetched = false;
        std::atomic<std::uint64_t> read_by_parts = 0;  // bytes of the blob
    };

    struct OpenLayer {
        oci::Descriptor blob;
        std::unique_ptr<base::Source> bytes;
    };

    void expect_index(const std::vector<WrittenLayer>& image);
    DeltaRef read_layer(const WrittenLayer& layer, const tree::LayerReadOptions& options,
                        const base::CancelToken& cancel);
    std::shared_ptr<Unfetched> unfetched(const base::DiffId& diff_id);
    void fetch(const base::DiffId& diff_id, const base::CancelToken& cancel);
    // A file out of the part of the layer that holds it, if that is cheaper than to fetch the layer; else
    // null.
    std::unique_ptr<base::Source> open_part(const tree::LayerRange& range, const tree::Content& content,
                                            const base::CancelToken& cancel);
    std::unique_ptr<base::Source> read_part(const oci::Descriptor& blob, const oci::HttpRange& part,
                                            const base::CancelToken& cancel);
    OpenLayer open_layer(const base::DiffId& diff_id, const base::CancelToken& cancel);
    bool stored(const oci::Descriptor& descriptor);
    oci::ImageArchive& layout(const std::string& store, const base::CancelToken& cancel);
    std::unique_ptr<base::Source> open_in_layouts(const oci::Descriptor& descriptor,
                                                  const base::CancelToken& cancel);

    cache::State& state_;
    std::map<std::string, std::filesystem::path> layouts_;
    RemoteImages* const remote_;
    std::mutex mutex_;
    std::map<std::string, std::unique_ptr<oci::ImageArchive>> open_layouts_;
    std::map<std::string, SnapshotRef> stacks_;  // by platform, chain ID and top blob
    std::map<base::DiffId, std::shared_ptr<Unfetched>> unfetched_;
    std::map<base::DiffId, std::unique_ptr<LayerSpool>> spools_;
    std::map<std::vector<base::DiffId>, std::vector<WrittenLayer>> images_;
    cache::ChunkCache chunks_;
    Contents contents_{*this};
};

}  // namespace mullion::worker
