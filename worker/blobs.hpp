// Every blob a build can reach: those of the content store, and those of OCI layouts given as named contexts,
// which are copied into the store when something reads files of them.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "cache/state.hpp"
#include "oci/image.hpp"
#include "oci/layout.hpp"
#include "worker/snapshot.hpp"

namespace mullion::worker {

// Thread-safe.
class Blobs final : public oci::BlobSource {
  public:
    // `layouts`: store name (solver::ImageSource::store) -> OCI layout or archive. Opened at first use.
    Blobs(cache::State& state, std::map<std::string, std::filesystem::path> layouts)
        : state_(state), layouts_(std::move(layouts)) {}

    // The content store's blob, else the first layout's that has it. NotFound if none does.
    std::unique_ptr<base::Source> open(const oci::Descriptor& descriptor,
                                       const base::CancelToken& cancel) override;
    bool reachable(const oci::Descriptor& descriptor, const base::CancelToken& cancel);
    // Copies the blob into the content store unless it is there. Verified.
    void ensure(const oci::Descriptor& descriptor, const base::CancelToken& cancel);

    // The image with this manifest in a store ("" = content store). NotFound, Corrupt, Invalid.
    oci::Image read_image(const std::string& store, const base::Digest& manifest,
                          const base::CancelToken& cancel);
    // A stack of written layers, base first. Equal stacks are one Snapshot, prefixes included: what one of
    // them knows of its Tree, all do.
    SnapshotRef stack(const oci::Platform& platform, const std::vector<WrittenLayer>& layers);

    // The Delta of a written layer; its blob is in the content store afterwards.
    DeltaRef delta_of(const WrittenLayer& layer, tree::Os os, const base::CancelToken& cancel);
    // Opens contents wherever they lie.
    tree::ContentProvider& contents() { return state_.layers().contents(); }
    cache::State& state() { return state_; }

  private:
    bool stored(const oci::Descriptor& descriptor);
    oci::ImageArchive& layout(const std::string& store, const base::CancelToken& cancel);
    std::unique_ptr<base::Source> open_in_layouts(const oci::Descriptor& descriptor,
                                                  const base::CancelToken& cancel);

    cache::State& state_;
    std::map<std::string, std::filesystem::path> layouts_;
    std::mutex mutex_;
    std::map<std::string, std::unique_ptr<oci::ImageArchive>> open_layouts_;
    std::map<std::string, SnapshotRef> stacks_;  // by platform, chain ID and top blob
};

}  // namespace mullion::worker
