// File systems as values.
//
// A Tree is immutable: edits share structure with the original. Names compare by the rules of the image's OS:
// case-insensitively and case-preserving for Windows. Paths are tree paths (tree/name.hpp): relative to the
// root of C: (or /), separated by '/', without leading or trailing slash; "" is the root. Thread-safe because
// nothing ever changes.
//
//     TreeEditor editor(base);
//     editor.put("app", directory);
//     editor.put("app/hello.txt", file);
//     Tree result = editor.finish();
//     base::Digest key = result.digest("app", contents, cancel);
#pragma once

#include <array>
#include <cstddef>
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

// How many elements a path may have. What walks a tree may recurse this deep and no deeper; a deeper tree is
// Invalid.
constexpr std::size_t kMaxDepth = 512;

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

// The identity of a file that has several names. Equal contents alone do not make two names one file.
struct HardLinkGroup {};
using HardLinkRef = std::shared_ptr<const HardLinkGroup>;

// One object. Directories own children, sorted by folded name; files own content (never null); links own a
// target *as stored* (backslashes included on Windows). A Windows symlink to a directory has
// attribute::kDirectory.
struct Node {
    NodeKind kind = NodeKind::Directory;
    Metadata metadata;
    std::vector<Child> children;
    ContentRef content;
    std::vector<Stream> streams;
    std::string link_target;
    // Shared by the nodes of one file's names; null for a file with one name. Set by apply() and the like,
    // not part of any digest.
    HardLinkRef hard_links;

    // Merkle memos by Os (what counts differs), filled by Tree::digest. Copies start without them.
    mutable std::array<DigestMemo, 2> memos;
};

// The same object without its children (itself if it has none).
NodeRef without_children(const NodeRef& node);
// The child of that name, or null.
const Child* find_child(Os os, const Node& directory, std::string_view name);

class Tree {
  public:
    // An empty root with default metadata.
    explicit Tree(Os os);
    Tree(Os os, NodeRef root) : os_(os), root_(std::move(root)) {}

    Os os() const { return os_; }
    const NodeRef& root() const { return root_; }

    // The node at `path`, not following links in the last element nor on the way; null if absent.
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
    // Where `path` leads when every symlink and junction on the way, the last element included, is followed
    // inside the tree: "..", absolute targets and `C:` cannot leave the root. nullopt if something is missing
    // on the way or a target lies elsewhere (other drive, UNC, volume); Invalid after 40 links (a cycle).
    std::optional<std::string> resolve(std::string_view path) const;

    // Parents before children, children in folded order; nothing if `from` is absent. Return false from
    // `visit` to skip a directory's children.
    void walk(std::string_view from,
              const std::function<bool(const std::string& path, const NodeRef& node)>& visit) const;

    // Content identity of the subtree at `path` (Merkle), NotFound if absent. What counts (dockerfile.md
    // §18): kinds, the names below (as stored; not the subtree's own), link targets, bytes, streams, extended
    // attributes, and of a Windows tree the read-only, hidden and system attributes and the descriptors, of a
    // Linux tree mode and ownership. Not times, not which names are hard links. Computed in parallel,
    // memoised in the nodes.
    base::Digest digest(std::string_view path, ContentProvider& provider,
                        const base::CancelToken& cancel) const;

  private:
    Os os_;
    NodeRef root_;
};

// Builds new Trees from old ones. Paths as in Tree. An edit costs O(depth + log children); what an edited
// directory's children cost is paid once, in finish(). Not thread-safe; cheap to make.
class TreeEditor {
  public:
    explicit TreeEditor(const Tree& base);
    ~TreeEditor();
    TreeEditor(TreeEditor&&) noexcept;
    TreeEditor& operator=(TreeEditor&&) noexcept;

    // Puts `node` at `path`, replacing what is there; the casing of an existing name is kept. A directory put
    // on a directory replaces its metadata and keeps its children; children that `node` brings along are put
    // on top of these by the same rule. Parents must exist: NotFound. A file or link as parent, an empty
    // element, "." or "..", more than kMaxDepth elements: Invalid.
    void put(std::string_view path, Node node);
    void put(std::string_view path, NodeRef node);  // shares the node, subtree included
    // Removes the node and everything below; quiet if absent. The root cannot go: Invalid.
    void remove(std::string_view path);
    // The object at `path` as it is now, or null. Do not look at the children of a directory here: those of
    // an edited one are known only after finish().
    NodeRef find(std::string_view path) const;
    // The result; the editor goes on from there.
    Tree finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mullion::tree
