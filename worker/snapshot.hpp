// What vertices of a build hand to one another: a file system as a stack of layers, or a plain Tree.
//
// A Snapshot is immutable. Its Tree is computed when somebody first asks for it (a fully cached build never
// does) and kept; a Layer learns its diff ID and blob when somebody writes it. Both are thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.hpp"
#include "oci/manifest.hpp"
#include "oci/platform.hpp"
#include "solver/op.hpp"
#include "tree/delta.hpp"
#include "tree/tree.hpp"

namespace mullion::worker {

class Blobs;

// A layer as it lies in a store: the digest of its tar and the blob that decompresses to it.
struct WrittenLayer {
    base::DiffId diff_id;
    oci::Descriptor blob;
    bool operator==(const WrittenLayer&) const = default;
};

// One layer. Either it was written (an image's, or a result of an earlier build) and its Delta is read from
// the store when needed, or it was made by this build and is written when needed (LayerWriter).
class Layer {
  public:
    // `blobs` must outlive the layer.
    Layer(WrittenLayer written, Blobs& blobs);
    explicit Layer(std::shared_ptr<const tree::Delta> delta);

    // Reads the layer's index, or streams its blob once.
    std::shared_ptr<const tree::Delta> delta(tree::Os os, const base::CancelToken& cancel) const;
    std::optional<WrittenLayer> written() const;
    // `delta`: the same changes with contents that lie in the blob.
    void set_written(WrittenLayer written, std::shared_ptr<const tree::Delta> delta) const;

  private:
    Blobs* blobs_ = nullptr;
    mutable std::mutex mutex_;
    mutable std::shared_ptr<const tree::Delta> delta_;
    mutable std::optional<WrittenLayer> written_;
};

using LayerRef = std::shared_ptr<const Layer>;

class Snapshot;
using SnapshotRef = std::shared_ptr<const Snapshot>;

class Snapshot final : public solver::Result {
  public:
    // A stack, base first. `below` is the same stack without its top, if it exists as a Snapshot: its Tree is
    // then built upon.
    static SnapshotRef stack(oci::Platform platform, std::vector<LayerRef> layers, SnapshotRef below = {});
    // `below` with one layer more, whose Tree is known already or (nullopt) follows from the Delta.
    static SnapshotRef on_top(SnapshotRef below, LayerRef layer, std::optional<tree::Tree> tree = {});
    // Files without a history: a context directory. As a base it counts as one layer.
    static SnapshotRef files(oci::Platform platform, tree::Tree tree);

    const oci::Platform& platform() const { return platform_; }
    tree::Os os() const;
    // Base first; for files(): one layer that holds everything, none if there is nothing.
    const std::vector<LayerRef>& layers() const;
    const SnapshotRef& below() const { return below_; }
    bool is_files() const { return is_files_; }
    const tree::Tree& tree(const base::CancelToken& cancel) const;

  private:
    Snapshot() = default;
    bool has_tree() const;

    oci::Platform platform_;
    SnapshotRef below_;
    bool is_files_ = false;
    mutable std::mutex mutex_;
    mutable std::vector<LayerRef> layers_;
    mutable std::optional<tree::Tree> tree_;
};

// The Snapshot in a solver's result (Internal if it is none).
SnapshotRef snapshot_of(const solver::ResultRef& result);

// A stack whose layers are all written, as a cache record; empty if one is not. Read back, it is a Snapshot
// of the same layers, or null if a blob of it is gone or the payload is not one of ours.
std::string save_payload(const Snapshot& snapshot);
SnapshotRef load_payload(std::string_view payload, Blobs& blobs);

}  // namespace mullion::worker
