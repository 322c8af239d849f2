// File systems as values.
//
// A Tree is immutable: edits share structure with the original. Names compare by the rules of the image's OS:
// case-insensitively and case-preserving for Windows. Paths are relative to the root of C: (or /), separated
// by '/', without leading or trailing slash; "" is the root. Thread-safe because nothing ever changes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.hpp"
#include "base/digest.hpp"
#include "tree/content.hpp"
#include "tree/metadata.hpp"

namespace mullion::tree {

enum class NodeKind { Directory, File, Symlink, Junction };

struct Node;
using NodeRef = std::shared_ptr<const Node>;

// An alternate data stream of a file ("name" without colon).
struct Stream {
    std::string name;
    ContentRef content;
};

struct Child {
    std::string name;  // as stored; compares by the folded form
    NodeRef node;
};

// One object. Directories own children, sorted by folded name; files own content; links own a target *as
// stored* (backslashes included on Windows).
struct Node {
    NodeKind kind = NodeKind::Directory;
    Metadata metadata;
    std::vector<Child> children;
    ContentRef content;
    std::vector<Stream> streams;
    std::string link_target;

    // Merkle memo, filled by digest(): see Tree::digest.
    mutable std::shared_ptr<const base::Digest> memo;  // accessed atomically
};

class Tree {
  public:
    // An empty root with default metadata.
    explicit Tree(Os os);
    Tree(Os os, NodeRef root) : os_(os), root_(std::move(root)) {}

    Os os() const { return os_; }
    const NodeRef& root() const { return root_; }

    // The node at `path`, not following links in the last element nor on the way; nullopt if absent.
    NodeRef find(std::string_view path) const;
    // The same, and the path in the tree's own casing.
    struct Found {
        std::string path;
        NodeRef node;
    };
    std::optional<Found> locate(std::string_view path) const;
    // `path` with every element that exists in the tree spelled as the tree spells it; the rest is kept as
    // given.
    std::string fold_to_casing(std::string_view path) const;
    // Follows symlinks and junctions inside the tree (bounded; never leaves it). nullopt if something is
    // missing on the way; Invalid for a cycle.
    std::optional<std::string> resolve(std::string_view path) const;

    // Parents before children, children in folded order. Return false from `visit` to skip a directory's
    // children.
    void walk(std::string_view from,
              const std::function<bool(const std::string& path, const NodeRef& node)>& visit) const;

    // Content identity of the subtree at `path` (Merkle): kinds, names, attributes that matter, descriptors,
    // link targets, streams, bytes — not times (dockerfile.md §18). Computed in parallel, memoised in the
    // nodes.
    base::Digest digest(std::string_view path, ContentProvider& provider,
                        const base::CancelToken& cancel) const;

    std::size_t size() const;  // number of nodes, root included

  private:
    Os os_;
    NodeRef root_;
};

// Builds new Trees from old ones. Paths as in Tree. Not thread-safe; cheap to make.
class TreeEditor {
  public:
    explicit TreeEditor(const Tree& base);
    ~TreeEditor();

    // Puts `node` at `path`, replacing what is there (its casing is kept if it exists, and the children of an
    // existing directory stay when `node` is a directory). Parents must exist: NotFound. A file as parent:
    // Invalid.
    void put(std::string_view path, Node node);
    // Removes the node and everything below; quiet if absent.
    void remove(std::string_view path);
    NodeRef find(std::string_view path) const;
    Tree finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mullion::tree
