// Layers of one build that came out the same: two steps on bases of different OS versions usually add the
// same files, and then their layer is made into a blob once.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "worker/snapshot.hpp"

namespace mullion::worker {

// Thread-safe. Holds no layer alive.
class LayerPool {
  public:
    // A layer of these changes: an earlier one that would be written as the same bytes, else a new one.
    LayerRef share(DeltaRef delta);

  private:
    struct Entry {
        DeltaRef delta;
        std::weak_ptr<const Layer> layer;
    };
    std::mutex mutex_;
    std::multimap<std::size_t, Entry> known_;  // by a hash of the paths
};

}  // namespace mullion::worker
