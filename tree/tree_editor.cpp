#include <algorithm>
#include <iterator>
#include <map>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "tree/tree.hpp"

namespace mullion::tree {

using base::ErrorCode;
using base::fail;

namespace {

struct OpenDirectory;

// What an edit made of one name: a finished node, a directory under edit, or (neither) nothing any more.
struct Slot {
    std::string name;
    NodeRef node;
    std::unique_ptr<OpenDirectory> open;
};

// A directory under edit: the children it came with, overlaid by changes. Untouched children cost nothing.
struct OpenDirectory {
    NodeRef header;                       // the directory without children
    NodeRef base;                         // whose children are overlaid
    std::map<std::string, Slot> changes;  // by folded name

    explicit OpenDirectory(const NodeRef& node) : header(without_children(node)), base(node) {}
};

}  // namespace

struct TreeEditor::State {
    Os os;
    std::unique_ptr<OpenDirectory> root;

    // What is at a name now.
    struct Entry {
        std::string name;
        NodeRef node;  // of an open directory: its header
        OpenDirectory* open = nullptr;
    };

    std::optional<Entry> look_up(const OpenDirectory& directory, std::string_view name) const;
    OpenDirectory& open(OpenDirectory& directory, const Entry& entry) const;
    OpenDirectory& open_parent(std::string_view path) const;
    void place(OpenDirectory& directory, std::string_view name, NodeRef node, std::size_t depth) const;
    std::vector<Child> merged_children(const OpenDirectory& directory) const;
    NodeRef freeze(const OpenDirectory& directory) const;
};

std::optional<TreeEditor::State::Entry> TreeEditor::State::look_up(const OpenDirectory& directory,
                                                                   std::string_view name) const {
    if (!directory.changes.empty()) {
        auto slot = directory.changes.find(fold(os, name));
        if (slot != directory.changes.end()) {
            const Slot& found = slot->second;
            if (found.open) return Entry{found.name, found.open->header, found.open.get()};
            if (found.node) return Entry{found.name, found.node, nullptr};
            return {};
        }
    }
    const Child* child = find_child(os, *directory.base, name);
    if (child == nullptr) return {};
    return Entry{child->name, child->node, nullptr};
}

// `entry`, a directory found in `directory`, made editable.
OpenDirectory& TreeEditor::State::open(OpenDirectory& directory, const Entry& entry) const {
    if (entry.open != nullptr) return *entry.open;
    Slot& slot = directory.changes[fold(os, entry.name)];
    slot.name = entry.name;
    slot.open = std::make_unique<OpenDirectory>(entry.node);
    slot.node = nullptr;
    return *slot.open;
}

// The directory that `path`'s last element lives in, made editable.
OpenDirectory& TreeEditor::State::open_parent(std::string_view path) const {
    OpenDirectory* directory = root.get();
    for (std::string_view name : split(parent_of(path))) {
        std::optional<Entry> entry = look_up(*directory, name);
        if (!entry) {
            throw fail(ErrorCode::NotFound, "{}: there is no parent directory \"{}\"",
                       display_path(os, printable(path)), printable(name));
        }
        if (entry->node->kind != NodeKind::Directory) {
            throw fail(ErrorCode::Invalid, "{}: its parent \"{}\" is not a directory",
                       display_path(os, printable(path)), printable(name));
        }
        directory = &open(*directory, *entry);
    }
    return *directory;
}

void TreeEditor::State::place(OpenDirectory& directory, std::string_view name, NodeRef node,
                              std::size_t depth) const {
    if (depth > kMaxDepth) {
        throw fail(ErrorCode::Invalid, "a path has more than {} elements, ending in \"{}\"", kMaxDepth,
                   printable(name));
    }
    std::optional<Entry> entry = look_up(directory, name);
    bool merge = entry && node->kind == NodeKind::Directory && entry->node->kind == NodeKind::Directory;
    if (merge) {
        OpenDirectory& existing = open(directory, *entry);
        existing.header = without_children(node);
        for (const Child& child : node->children) place(existing, child.name, child.node, depth + 1);
        return;
    }
    Slot& slot = directory.changes[fold(os, name)];
    slot.name = entry ? entry->name : std::string(name);
    slot.node = std::move(node);
    slot.open = nullptr;
}

// The old children in order, each replaced by what `changes` made of it, the new ones merged in.
std::vector<Child> TreeEditor::State::merged_children(const OpenDirectory& directory) const {
    const std::vector<Child>& old = directory.base->children;
    std::vector<Child> merged;
    merged.reserve(old.size() + directory.changes.size());
    auto at = old.begin();
    for (const auto& [folded, slot] : directory.changes) {
        auto stop = std::lower_bound(at, old.end(), folded, [this](const Child& c, const std::string& key) {
            return compare_names(os, c.name, key) < 0;
        });
        merged.insert(merged.end(), at, stop);
        at = stop;
        if (at != old.end() && names_equal(os, at->name, folded)) ++at;
        if (slot.open) {
            merged.push_back({slot.name, freeze(*slot.open)});
        } else if (slot.node) {
            merged.push_back({slot.name, slot.node});
        }
    }
    merged.insert(merged.end(), at, old.end());
    return merged;
}

NodeRef TreeEditor::State::freeze(const OpenDirectory& directory) const {
    auto node = std::make_shared<Node>(*directory.header);
    node->children = merged_children(directory);
    return node;
}

TreeEditor::TreeEditor(const Tree& base)
    : state_(std::make_unique<State>(State{base.os(), std::make_unique<OpenDirectory>(base.root())})) {}
TreeEditor::~TreeEditor() = default;
TreeEditor::TreeEditor(TreeEditor&&) noexcept = default;
TreeEditor& TreeEditor::operator=(TreeEditor&&) noexcept = default;

namespace {

void check_path(Os os, std::string_view path) {
    std::vector<std::string_view> elements = split(path);
    for (std::string_view element : elements) {
        if (!element.empty() && element != "." && element != "..") continue;
        throw fail(ErrorCode::Invalid, "{} is not a path in a tree", display_path(os, printable(path)));
    }
    if (elements.size() > kMaxDepth) {
        throw fail(ErrorCode::Invalid, "{}... has more than {} elements",
                   display_path(os, printable(path.substr(0, 200))), kMaxDepth);
    }
}

}  // namespace

void TreeEditor::put(std::string_view path, Node node) {
    put(path, std::make_shared<const Node>(std::move(node)));
}

void TreeEditor::put(std::string_view path, NodeRef node) {
    check_path(state_->os, path);
    if (!path.empty()) {
        OpenDirectory& parent = state_->open_parent(path);
        return state_->place(parent, base_name(path), std::move(node), split(path).size());
    }
    if (node->kind != NodeKind::Directory) {
        throw fail(ErrorCode::Invalid, "the root of a tree can only be a directory");
    }
    state_->root->header = without_children(node);
    for (const Child& child : node->children) state_->place(*state_->root, child.name, child.node, 1);
}

void TreeEditor::remove(std::string_view path) {
    check_path(state_->os, path);
    if (path.empty()) throw fail(ErrorCode::Invalid, "the root of a tree cannot be removed");
    if (!find(path)) return;
    Slot& slot = state_->open_parent(path).changes[fold(state_->os, base_name(path))];
    slot.node = nullptr;
    slot.open = nullptr;
}

NodeRef TreeEditor::find(std::string_view path) const {
    const OpenDirectory* directory = state_->root.get();
    NodeRef node = directory->header;
    for (std::string_view name : split(path)) {
        if (directory != nullptr) {
            auto entry = state_->look_up(*directory, name);
            if (!entry) return nullptr;
            directory = entry->open;
            node = entry->node;
        } else {
            const Child* child = find_child(state_->os, *node, name);
            if (child == nullptr) return nullptr;
            // A copy first: the child is owned by the node it replaces.
            NodeRef next = child->node;
            node = std::move(next);
        }
    }
    return node;
}

Tree TreeEditor::finish() {
    NodeRef root = state_->freeze(*state_->root);
    state_->root = std::make_unique<OpenDirectory>(root);
    return Tree(state_->os, root);
}

}  // namespace mullion::tree
