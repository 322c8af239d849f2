#include "worker/layer_pool.hpp"

#include <functional>
#include <string>

#include "tree/delta_compare.hpp"

namespace mullion::worker {
namespace {

std::size_t hash_of(const tree::Delta& delta) {
    std::size_t hash = delta.changes.size();
    for (const tree::Change& change : delta.changes) {
        hash = hash * 31 + std::hash<std::string>()(tree::path_of(change));
    }
    return hash;
}

}  // namespace

LayerRef LayerPool::share(DeltaRef delta) {
    std::size_t hash = hash_of(*delta);
    std::lock_guard lock(mutex_);
    auto [at, end] = known_.equal_range(hash);
    while (at != end) {
        LayerRef layer = at->second.layer.lock();
        if (layer && tree::same_delta(*at->second.delta, *delta)) return layer;
        at = layer ? std::next(at) : known_.erase(at);
    }
    auto layer = std::make_shared<const Layer>(delta);
    known_.emplace(hash, Entry{std::move(delta), layer});
    return layer;
}

}  // namespace mullion::worker
