#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "tree/delta.hpp"
#include "tree/delta_budget.hpp"
#include "tree/delta_compare.hpp"
#include "tree/layer_form.hpp"
#include "tree/name.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

class Differ {
  public:
    Differ(const Tree& lower, const Tree& upper, const DeltaLimits& limits)
        : os_(lower.os()), lower_(lower), upper_(upper), budget_(limits) {}

    Delta run() {
        Delta delta;
        delta.os = os_;
        if (lower_.root() == upper_.root()) return delta;
        directory("", lower_.root().get(), *upper_.root(), 0);
        link_to_unchanged();
        if (!changes_.empty() || !same_metadata(lower_.root()->metadata, upper_.root()->metadata)) {
            delta.files_root = as_own_entry(upper_.root())->metadata;
        }
        delta.changes = std::move(changes_);
        return delta;
    }

  private:
    // What changed in a directory; `lower` is null where lower has none.
    void directory(const std::string& path, const Node* lower, const Node& upper, std::size_t depth) {
        if (depth > kMaxDepth) {
            throw fail(ErrorCode::Invalid, "a path has more than {} elements: {}...", kMaxDepth,
                       printable(path.substr(0, 200)));
        }
        if (lower != nullptr) removals(path, *lower, upper);
        for (const Child& child : upper.children) {
            const Child* old = lower == nullptr ? nullptr : find_child(os_, *lower, child.name);
            if (old != nullptr && old->node == child.node) continue;
            object(join(path, old == nullptr ? child.name : old->name), old, child.node, depth + 1);
        }
    }

    void removals(const std::string& path, const Node& lower, const Node& upper) {
        for (const Child& child : lower.children) {
            if (find_child(os_, upper, child.name) == nullptr) {
                add(Removal{join(path, child.name)});
            }
        }
    }

    void object(const std::string& path, const Child* old, const NodeRef& node, std::size_t depth) {
        bool same = old != nullptr && same_object(*old->node, *node);
        if (node->kind != NodeKind::Directory) {
            if (!same) put(path, node);
            return;
        }
        std::size_t before = changes_.size();
        add(Upsert{path, as_own_entry(node), {}});
        bool onto_directory = old != nullptr && old->node->kind == NodeKind::Directory;
        directory(path, onto_directory ? old->node.get() : nullptr, *node, depth);
        if (same && changes_.size() == before + 1) changes_.pop_back();
    }

    void put(const std::string& path, const NodeRef& node) {
        Upsert upsert{path, as_own_entry(node), {}};
        if (node->hard_links) {
            std::vector<std::size_t>& names = groups_[node->hard_links];
            if (!names.empty()) {
                const auto& first = std::get<Upsert>(changes_[names.front()]);
                if (same_object(*first.node, *node)) {
                    upsert.hard_link = first.path;
                    upsert.node = first.node;
                }
            }
            names.push_back(changes_.size());
        }
        add(std::move(upsert));
    }

    // Counted much as the reader will count it.
    void add(Change change) {
        budget_.add_entry();
        budget_.add_bytes(kObjectBytes + path_of(change).size());
        if (const auto* upsert = std::get_if<Upsert>(&change)) {
            const Node& node = *upsert->node;
            budget_.add_bytes(kContentBytes + node.link_target.size());
            for (const Stream& stream : node.streams) budget_.add_bytes(kContentBytes + stream.name.size());
            for (const auto& [name, value] : node.metadata.extended_attributes) {
                budget_.add_bytes(kMapNodeBytes + name.size() + value.size());
            }
        }
        changes_.push_back(std::move(change));
    }

    // New names of a file that lower has already under a name that stays. To find that name all of upper is
    // walked, but only if a hard link was made at all.
    void link_to_unchanged() {
        if (groups_.empty()) return;
        upper_.walk("", [&](const std::string& path, const NodeRef& node) {
            if (!node->hard_links) return true;
            auto group = groups_.find(node->hard_links);
            if (group == groups_.end()) return true;
            auto old = lower_.locate(path);
            if (!old || old->node->kind != NodeKind::File || !same_object(*old->node, *node)) return true;
            for (std::size_t index : group->second) {
                auto& upsert = std::get<Upsert>(changes_[index]);
                if (same_object(*upsert.node, *node)) upsert.hard_link = old->path;
            }
            groups_.erase(group);
            return true;
        });
    }

    Os os_;
    const Tree& lower_;
    const Tree& upper_;
    DeltaBudget budget_;
    std::vector<Change> changes_;
    std::map<HardLinkRef, std::vector<std::size_t>> groups_;  // indexes into changes_
};

}  // namespace

Delta diff(const Tree& lower, const Tree& upper, const DeltaLimits& limits) {
    if (lower.os() != upper.os()) {
        throw fail(ErrorCode::Invalid, "trees of different operating systems cannot be compared");
    }
    return Differ(lower, upper, limits).run();
}

}  // namespace mullion::tree
