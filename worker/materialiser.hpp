// Snapshots as layer folders on disk (hcs/layer_storage.hpp), the one thing a RUN needs beyond values.
//
// A layer is unpacked once and kept in the LayerStore under a key made of its chain ID
// (cache::LayerPaths::folder_key), since the casing of its names follows the layers below. A folder holds
// names and bytes; metadata lives in the Tree. What a host cannot hold is represented like this:
//   * read-only files have no write permission, times of files and directories are the tree's;
//   * streams are files named "file:stream", as Wine has them;
//   * symlinks and junctions become relative symlinks to where they lead inside the tree; links out of C:
//     (other drives, UNC, volumes) are left out;
//   * hives, UtilityVM, descriptors and other attributes are left out.
// Where the storage imports layers (LayerStorage::imports_layers), nothing is left out: folders are then the
// storage's, made base first, each upon the ones below.
#pragma once

#include <filesystem>
#include <vector>

#include "base/cancel.hpp"
#include "hcs/layer_storage.hpp"
#include "worker/blobs.hpp"
#include "worker/snapshot.hpp"

namespace mullion::worker {

// Thread-safe.
class Materialiser {
  public:
    // `storage` may be null if folders() is never called.
    Materialiser(Blobs& blobs, hcs::LayerStorage* storage) : blobs_(blobs), storage_(storage) {}

    // To be called before anybody asks for the tree of a snapshot that is likely to be unpacked: layers that
    // nobody has read yet are read, in parallel, and their files put aside. Otherwise they are decompressed
    // twice, first for their names.
    void read_ahead(const Snapshot& snapshot, const base::CancelToken& cancel);

    // The folders of a snapshot whose layers are all written, topmost first; missing ones are unpacked, in
    // parallel. At most kMaxFolders: the bottom of a deeper stack is merged into one (not if it is imported).
    std::vector<std::filesystem::path> folders(const Snapshot& snapshot, const base::CancelToken& cancel);
    static constexpr std::size_t kMaxFolders = 48;

    // What makes `upper` of `lower`, which has the folders `below`, as a layer folder at `folder` (which
    // exists and is empty).
    void make_layer(const tree::Tree& lower, const std::vector<std::filesystem::path>& below,
                    const tree::Tree& upper, const std::filesystem::path& folder,
                    const base::CancelToken& cancel);
    // A tree's files straight into `directory`, which exists and is empty.
    void write_files(const tree::Tree& tree, const std::filesystem::path& directory,
                     const base::CancelToken& cancel);

  private:
    std::vector<std::filesystem::path> import_stack(const std::vector<const Snapshot*>& stack,
                                                    const std::vector<WrittenLayer>& layers,
                                                    const base::CancelToken& cancel);
    void import(const Layer& layer, const base::DiffId& diff_id, tree::Os os,
                const std::vector<std::filesystem::path>& below, const std::filesystem::path& folder,
                const base::CancelToken& cancel);
    std::unique_ptr<LayerSpool> spool_of(const base::DiffId& diff_id, tree::Os os,
                                         const base::CancelToken& cancel);
    void unpack(const tree::Tree& lower, const tree::Tree& upper, const std::filesystem::path& folder,
                const base::CancelToken& cancel);
    void read_unread(std::vector<WrittenLayer> layers, tree::Os os, const base::CancelToken& cancel);
    void read_missing(const std::vector<WrittenLayer>& layers, std::size_t merged,
                      const std::vector<base::Digest>& keys, tree::Os os, const base::CancelToken& cancel);
    std::filesystem::path folder_of(const Snapshot* below, const Snapshot& snapshot, const base::Digest& key,
                                    const base::CancelToken& cancel);

    Blobs& blobs_;
    hcs::LayerStorage* storage_;
};

}  // namespace mullion::worker
