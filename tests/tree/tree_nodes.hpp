// Nodes and trees for tests.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "tree/content.hpp"
#include "tree/tree.hpp"

namespace mullion::tree::testing {

inline Node file(std::string data, std::int64_t seconds = 0) {
    Node node;
    node.kind = NodeKind::File;
    node.content = Content::inline_bytes(std::move(data));
    node.metadata.set_times(base::FileTime::from_seconds(seconds));
    return node;
}

inline Node directory(std::int64_t seconds = 0) {
    Node node;
    node.metadata.set_times(base::FileTime::from_seconds(seconds));
    return node;
}

inline Node link(std::string target, NodeKind kind = NodeKind::Symlink) {
    Node node;
    node.kind = kind;
    node.link_target = std::move(target);
    return node;
}

// Paths ending in '/' are directories, the others files holding their own path. Parents come first.
inline Tree tree_of(Os os, std::initializer_list<std::string> paths) {
    TreeEditor editor{Tree(os)};
    for (std::string path : paths) {
        if (path.ends_with('/')) {
            path.pop_back();
            editor.put(path, directory());
        } else {
            editor.put(path, file(path));
        }
    }
    return editor.finish();
}

inline base::Digest digest(const Tree& tree, std::string_view path = "") {
    HostContent contents;
    return tree.digest(path, contents, {});
}

inline std::string bytes_of(const Node& node) {
    HostContent contents;
    return contents.open(*node.content, {})->read_all(1 << 20, "file");
}

// Root included.
inline std::size_t node_count(const Tree& tree) {
    std::size_t count = 0;
    tree.walk("", [&](const std::string&, const NodeRef&) { return ++count, true; });
    return count;
}

// One path a line, directories with a slash.
inline std::string listing(const Tree& tree) {
    std::string text;
    tree.walk("", [&](const std::string& path, const NodeRef& node) {
        if (!path.empty()) text += path + (node->kind == NodeKind::Directory ? "/\n" : "\n");
        return true;
    });
    return text;
}

}  // namespace mullion::tree::testing
