#include "tree/tree.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "tree/name.hpp"

namespace mullion::tree {

using base::ErrorCode;
using base::fail;

NodeRef without_children(const NodeRef& node) {
    if (node->children.empty()) return node;
    auto bare = std::make_shared<Node>();
    bare->kind = node->kind;
    bare->metadata = node->metadata;
    bare->content = node->content;
    bare->streams = node->streams;
    bare->link_target = node->link_target;
    bare->hard_links = node->hard_links;
    return bare;
}

const Child* find_child(Os os, const Node& directory, std::string_view name) {
    auto child = std::lower_bound(
        directory.children.begin(), directory.children.end(), name,
        [os](const Child& c, std::string_view wanted) { return compare_names(os, c.name, wanted) < 0; });
    if (child == directory.children.end() || !names_equal(os, child->name, name)) return nullptr;
    return &*child;
}

Tree::Tree(Os os) : os_(os), root_(std::make_shared<const Node>()) {}

NodeRef Tree::find(std::string_view path) const {
    const NodeRef* node = &root_;
    for (std::string_view name : split(path)) {
        const Child* child = find_child(os_, **node, name);
        if (child == nullptr) return nullptr;
        node = &child->node;
    }
    return *node;
}

std::optional<Tree::Found> Tree::locate(std::string_view path) const {
    Found found{{}, root_};
    for (std::string_view name : split(path)) {
        const Child* child = find_child(os_, *found.node, name);
        if (child == nullptr) return {};
        // The parent's node lives on in the tree, so does the child it owns.
        found.path = join(found.path, child->name);
        found.node = child->node;
    }
    return found;
}

std::string Tree::fold_to_casing(std::string_view path) const {
    std::string spelled;
    const Node* node = root_.get();
    for (std::string_view name : split(path)) {
        const Child* child = node == nullptr ? nullptr : find_child(os_, *node, name);
        spelled = join(spelled, child == nullptr ? name : std::string_view(child->name));
        node = child == nullptr ? nullptr : child->node.get();
    }
    return spelled;
}

namespace {

struct Frame {
    const Node* node;
    std::size_t next = 0;         // child to visit
    std::size_t path_length = 0;  // of this directory's path
};

void check_depth(std::size_t depth, const std::string& path) {
    if (depth <= kMaxDepth) return;
    throw fail(ErrorCode::Invalid, "a path has more than {} elements: {}...", kMaxDepth,
               printable(path.substr(0, 200)));
}

}  // namespace

void Tree::walk(std::string_view from,
                const std::function<bool(const std::string& path, const NodeRef& node)>& visit) const {
    std::optional<Found> start = locate(from);
    if (!start || !visit(start->path, start->node)) return;
    std::string path = std::move(start->path);
    std::vector<Frame> frames{{start->node.get(), 0, path.size()}};
    while (!frames.empty()) {
        Frame& frame = frames.back();
        path.resize(frame.path_length);
        if (frame.next == frame.node->children.size()) {
            frames.pop_back();
            continue;
        }
        const Child& child = frame.node->children[frame.next++];
        if (!path.empty()) path += '/';
        path += child.name;
        check_depth(frames.size(), path);
        if (!visit(path, child.node) || child.node->children.empty()) continue;
        frames.push_back({child.node.get(), 0, path.size()});
    }
}

}  // namespace mullion::tree
