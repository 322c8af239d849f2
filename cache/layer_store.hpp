// Layers by diff ID: where their blob is, their index (names and metadata without contents), ranged reads of
// single files, and the directory of unpacked layers that RUN mounts.
//
// The index is <state>/index/sha256/<hex>, the seek table of a blob <state>/index/seek/<hex>: small, each
// under a checksum of its own, made again when damaged. The rest of <state>/layers is made from blobs as
// needed and is not synced to the disk; a power loss could leave files there that are silently short, so all
// of it is dropped at the first start after a reboot:
//   layers/<hex of the key>/       unpacked layers (keys: LayerPaths::folder_key)
//   layers/tar/<hex of diff ID>    uncompressed copies of blobs that single files were read from and that
//                                  can hardly be decompressed from anywhere but the start: zstd in one frame
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/cancel.hpp"
#include "oci/manifest.hpp"
#include "oci/seek_table.hpp"
#include "tree/content.hpp"
#include "tree/delta.hpp"
#include "tree/layer_tar.hpp"

namespace mullion::cache {

// Thread-safe. Whatever is returned is leased for the rest of the session.
class LayerStore {
  public:
    virtual ~LayerStore() = default;

    // Records that `blob` decompresses to `diff_id`. The caller knows it: he has written the blob, or
    // digested its contents. What an image's config says is no more than a claim, see read(). Annotations and
    // platform of the descriptor are not kept.
    virtual void add(const base::DiffId& diff_id, const oci::Descriptor& blob) = 0;
    // Was it recorded that the blob decompresses to `diff_id`?
    virtual bool is_known(const base::DiffId& diff_id, const base::Digest& blob) = 0;
    // A blob in the content store: the first recorded of those that are there and not cut short.
    virtual std::optional<oci::Descriptor> blob_of(const base::DiffId& diff_id) = 0;

    // Records that the blob came from a registry, for a build that will find it there again: garbage
    // collection may take it while the layer's index is there (cache/garbage.hpp).
    virtual void add_fetched(const base::Digest& blob) = 0;

    // What the layer was recompressed to: `form` names compression and level. nullopt also if the blob is
    // gone or cut short.
    virtual std::optional<oci::Descriptor> recompressed(const base::DiffId& diff_id,
                                                        const std::string& form) = 0;
    // Records that, and that `blob` decompresses to `diff_id`.
    virtual void add_recompressed(const base::DiffId& diff_id, const std::string& form,
                                  const oci::Descriptor& blob) = 0;

    // The layer's Delta from its stored index, memoised in memory; null if there is none. Needs no blob.
    virtual std::shared_ptr<const tree::Delta> stored_delta(const base::DiffId& diff_id, tree::Os os,
                                                            const base::CancelToken& cancel) = 0;
    // Is there a stored index, whole or not?
    virtual bool has_index(const base::DiffId& diff_id) = 0;
    // The layer's Delta, made by streaming `blob` (in the content store), which somebody claims to be the
    // layer. Throws Corrupt if it is not; otherwise index and blob are recorded.
    // Contents are digested on the way; `options.on_content` sees them before anything is verified.
    virtual std::shared_ptr<const tree::Delta> read(const base::DiffId& diff_id, const oci::Descriptor& blob,
                                                    const tree::LayerReadOptions& options,
                                                    const base::CancelToken& cancel) = 0;
    // The same for a blob that streams by and need not be stored. Corrupt also if it has another digest or
    // size.
    virtual std::shared_ptr<const tree::Delta> read(const base::DiffId& diff_id, const oci::Descriptor& blob,
                                                    base::Source& bytes,
                                                    const tree::LayerReadOptions& options,
                                                    const base::CancelToken& cancel) = 0;
    // stored_delta(), else read() of blob_of(). Throws NotFound if there is neither.
    virtual std::shared_ptr<const tree::Delta> delta_of(const base::DiffId& diff_id, tree::Os os,
                                                        const base::CancelToken& cancel) = 0;
    // Stores an index that the writer of the layer already has (contents must be LayerRanges of diff_id).
    virtual void put_index(const base::DiffId& diff_id, const tree::Delta& delta) = 0;

    // The seek table that read() or the writer of the blob has left, memoised in memory; null if there is
    // none. Needs no blob.
    virtual std::shared_ptr<const oci::SeekTable> seek_table(const base::Digest& blob) = 0;
    virtual void put_seek_table(const base::Digest& blob, oci::SeekTable table) = 0;

    // Opens contents of any location, layer ranges included, and feeds the state's stat cache.
    virtual tree::ContentProvider& contents() = 0;

    // Directory of an unpacked layer, made by `unpack` (into a temporary directory, renamed when complete) if
    // absent. `key` names it: LayerPaths::folder_key for the folders of a stack, or anything else that
    // determines the result. One process unpacks, others wait. If `unpack` throws, nothing stays.
    virtual std::filesystem::path unpacked(const base::Digest& key,
                                           const std::function<void(const std::filesystem::path&)>& unpack,
                                           const base::CancelToken& cancel = {}) = 0;
    virtual bool is_unpacked(const base::Digest& key) = 0;
};

}  // namespace mullion::cache
