#include <unordered_map>

#include "base/error.hpp"
#include "tree/layer_tar.hpp"

namespace mullion::tree {
namespace {

class Relocation {
  public:
    Relocation(const std::vector<std::uint64_t>& offsets, const base::DiffId& diff_id)
        : offsets_(offsets), diff_id_(diff_id) {}

    void changes(std::vector<Change>& changes) {
        for (Change& change : changes) {
            if (auto* put = std::get_if<Upsert>(&change)) upsert(*put);
        }
    }
    bool complete() const { return next_ == offsets_.size(); }

  private:
    ContentRef place(const ContentRef& content) {
        if (complete())
            throw base::fail(base::ErrorCode::Internal, "a layer with fewer contents was written");
        auto placed =
            std::make_shared<const Content>(content->size(), LayerRange{diff_id_, offsets_[next_++]});
        if (auto digest = content->known_digest()) placed->remember_digest(*digest);
        return placed;
    }

    // The file's node, or for a file of a lower layer one without content, as reading the layer gives it.
    void hard_link(Upsert& change) {
        if (auto known = nodes_.find(change.node.get()); known != nodes_.end()) {
            change.node = known->second;
            return;
        }
        auto node = std::make_shared<Node>();
        node->kind = change.node->kind;
        node->metadata = change.node->metadata;
        change.node = std::move(node);
    }

    void upsert(Upsert& change) {
        bool has_content = change.node->kind == NodeKind::File || !change.node->streams.empty();
        if (!has_content) return;
        if (change.hard_link) return hard_link(change);
        auto node = std::make_shared<Node>(*change.node);
        if (node->kind == NodeKind::File) node->content = place(node->content);
        for (Stream& stream : node->streams) stream.content = place(stream.content);
        nodes_[change.node.get()] = node;
        change.node = std::move(node);
    }

    const std::vector<std::uint64_t>& offsets_;
    const base::DiffId& diff_id_;
    std::size_t next_ = 0;
    std::unordered_map<const Node*, NodeRef> nodes_;  // by their address in the Delta given
};

}  // namespace

Delta relocate(const Delta& delta, const std::vector<std::uint64_t>& offsets, const base::DiffId& diff_id) {
    Delta placed = delta;
    Relocation relocation(offsets, diff_id);
    // In the order write_layer writes them.
    if (placed.files_first) relocation.changes(placed.changes);
    relocation.changes(placed.hives);
    if (!placed.files_first) relocation.changes(placed.changes);
    relocation.changes(placed.utility_vm);
    if (!relocation.complete()) {
        throw base::fail(base::ErrorCode::Internal, "a layer with more contents was written");
    }
    return placed;
}

}  // namespace mullion::tree
