#include "solver/recorder.hpp"

#include "solver/cache_key.hpp"

namespace mullion::solver {

Recorder::Recorder(const Node& node, cache::KeyStore* store)
    : store_(store), root_(node.content ? *node.content : *node.definition), fresh_(node.ignore_cache) {
    known_.reserve(node.outputs.size());
    for (const Output& output : node.outputs) known_.push_back(output.canonical);
    if (node.definition_storable) {
        storable_definition_ = *node.definition;
        storable_roots_.push_back(*node.definition);
    }
    if (node.content && node.content_storable) storable_roots_.push_back(*node.content);
}

base::Digest Recorder::canonical(std::size_t index) const {
    if (index < known_.size() && known_[index]) return *known_[index];
    return fresh_ ? fresh_key(root_, index) : output_key(root_, index);
}

std::vector<base::Digest> Recorder::keys(std::size_t index) const {
    std::vector<base::Digest> keys;
    for (const base::Digest& root : storable_roots_) keys.push_back(output_key(root, index));
    return keys;
}

void Recorder::save(std::size_t index, const base::Digest& canonical, const std::string& payload) const {
    if (store_ != nullptr && !storable_roots_.empty()) store_->save(keys(index), {canonical, payload});
}

void Recorder::save_definition(std::size_t index, const base::Digest& canonical,
                               const std::string& payload) const {
    if (store_ == nullptr || !storable_definition_) return;
    store_->save({output_key(*storable_definition_, index)}, {canonical, payload});
}

void Recorder::forget(std::size_t index) const {
    if (store_ == nullptr) return;
    for (const base::Digest& key : keys(index)) store_->forget(key);
}

}  // namespace mullion::solver
