// Layers into the content store: tar, digest, compression and store in one pipeline.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "base/cancel.hpp"
#include "oci/compress.hpp"
#include "worker/blobs.hpp"
#include "worker/snapshot.hpp"

namespace mullion::worker {

// Thread-safe. Layers are stored as gzip of the default level, whatever an exporter wants: the blob of a
// diff ID is then the same whoever asked first.
class LayerWriter {
  public:
    explicit LayerWriter(Blobs& blobs) : blobs_(blobs) {}

    // Writes the layer unless that was done. Each byte is read once; the layer's index is stored as well.
    WrittenLayer write(const Layer& layer, const base::CancelToken& cancel);
    // All layers of a stack, in parallel.
    std::vector<WrittenLayer> write_all(const Snapshot& snapshot, const base::CancelToken& cancel);

    // A written layer in another compression: its descriptor as it is if it has it already, else that of a
    // new blob, which is remembered. Same layer, compression and level: same bytes.
    oci::Descriptor recompress(const WrittenLayer& layer, oci::Compression compression,
                               std::optional<int> level, const base::CancelToken& cancel);

    // The layer with no time later than `latest`; itself if it has none.
    WrittenLayer clamp_times(const Layer& layer, tree::Os os, base::FileTime latest,
                             const base::CancelToken& cancel);

  private:
    std::pair<WrittenLayer, DeltaRef> write_delta(const tree::Delta& delta, const base::CancelToken& cancel);

    Blobs& blobs_;
    std::mutex mutex_;                                                       // guards clamped_
    std::map<std::pair<base::Digest, std::int64_t>, WrittenLayer> clamped_;  // by diff ID and latest time
};

}  // namespace mullion::worker
