// What vertices of a build hand to one another: a file system as a stack of layers, or a plain Tree.
//
// A Snapshot is immutable. Its Tree is computed when somebody first asks for it (a fully cached build never
// does) and kept; a Layer learns its diff ID and blob when somebody writes it. Both are thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.hpp"
#include "oci/image.hpp"
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
    // The step that made it, or one it took files from, changed the registry, and the changes are lost. Only
    // for those who agreed to that.
    bool registry_lost = false;
    // It belongs to the image a build stands upon.
    bool of_image = false;
    bool operator==(const WrittenLayer&) const = default;
};

using DeltaRef = std::shared_ptr<const tree::Delta>;

// One layer. Either it was written (an image's, or a result of an earlier build) and its Delta is read from
// the store when needed, or it was made by this build and is written when needed.
class Layer {
  public:
    // `blobs` must outlive the layer.
    Layer(WrittenLayer written, Blobs& blobs)
        : blobs_(&blobs), registry_lost_(written.registry_lost), written_(std::move(written)) {}
    // `registry_lost`: see WrittenLayer.
    explicit Layer(DeltaRef delta, bool registry_lost = false)
        : registry_lost_(registry_lost), delta_(std::move(delta)) {}

    // Reads the layer's index, or streams its blob once.
    DeltaRef delta(tree::Os os, const base::CancelToken& cancel) const;
    std::optional<WrittenLayer> written() const;
    bool registry_lost() const { return registry_lost_; }
    // What it was written as; if it was not, `write` does it and returns the same changes with contents that
    // lie in the blob. One caller writes, others wait.
    using Writer = std::function<std::pair<WrittenLayer, DeltaRef>(const tree::Delta&)>;
    WrittenLayer written_by(const Writer& write) const;

  private:
    Blobs* blobs_ = nullptr;
    bool registry_lost_;
    mutable std::mutex work_;   // held while reading or writing the layer
    mutable std::mutex mutex_;  // guards the members below
    mutable DeltaRef delta_;
    mutable std::optional<WrittenLayer> written_;
};

using LayerRef = std::shared_ptr<const Layer>;

class Snapshot;
using SnapshotRef = std::shared_ptr<const Snapshot>;

class Snapshot final : public solver::Result {
  public:
    // No layers, an empty root.
    static SnapshotRef empty(oci::Platform platform);
    // `below` with one layer more. Its Tree follows from the Delta, unless it is known already.
    static SnapshotRef on_top(SnapshotRef below, LayerRef layer, std::optional<tree::Tree> tree = {});
    // empty() with these layers on top, base first.
    static SnapshotRef stack(oci::Platform platform, const std::vector<LayerRef>& layers);
    // Files without a history: a context directory. As a base it counts as one layer. `source_time` is when
    // their source last changed (a commit's time), if it says so.
    static SnapshotRef files(oci::Platform platform, tree::Tree tree,
                             std::optional<base::FileTime> source_time = {});
    ~Snapshot() override;

    const oci::Platform& platform() const { return platform_; }
    tree::Os os() const;
    // Base first.
    std::vector<LayerRef> layers() const;
    // The same without the top layer; null for empty() and files().
    const SnapshotRef& below() const { return below_; }
    // The top layer; null for empty().
    const LayerRef& top() const;
    bool is_files() const { return is_files_; }
    const std::optional<base::FileTime>& source_time() const { return source_time_; }
    const tree::Tree& tree(const base::CancelToken& cancel) const;
    // Of any of its layers.
    bool registry_lost() const;

  private:
    explicit Snapshot(oci::Platform platform) : platform_(std::move(platform)) {}
    bool has_tree() const;
    void compute_tree(const base::CancelToken& cancel) const;

    oci::Platform platform_;
    mutable SnapshotRef below_;
    bool is_files_ = false;
    std::optional<base::FileTime> source_time_;
    mutable std::mutex work_;   // held while computing
    mutable std::mutex mutex_;  // guards the members below
    mutable LayerRef layer_;
    mutable std::optional<tree::Tree> tree_;
};

tree::Os image_os(const oci::Platform& platform);

// The Snapshot in a solver's result (Internal if it is none).
SnapshotRef snapshot_of(const solver::ResultRef& result);

// Layers of an image, base first. Corrupt if config and manifest disagree on their number.
std::vector<WrittenLayer> layers_of(const oci::Image& image);

// A stack whose layers are all written, as a cache record; empty if one is not. Read back, it is a Snapshot
// of the same layers, or null if a blob of it is gone, the payload is not one of ours, or it has layers whose
// registry changes are lost and the reader has not agreed to that (WorkerOptions::allow_registry_loss).
std::string save_payload(const Snapshot& snapshot);
SnapshotRef load_payload(std::string_view payload, Blobs& blobs, bool allow_registry_loss = false);

}  // namespace mullion::worker
