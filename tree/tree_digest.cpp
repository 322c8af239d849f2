
#include <algorithm>
#include <unordered_set>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "tree/parallel.hpp"
#include "tree/tree.hpp"

namespace mullion::tree {
namespace {

using base::CancelToken;
using base::Digest;
using base::ErrorCode;
using base::fail;
using base::Hasher;

// Names the rules below; a change of them must change every digest.
constexpr std::string_view kScheme = "mullion tree 1";

DigestMemo& memo_of(Os os, const Node& node) {
    return node.memos[os == Os::Windows ? 0 : 1];
}

// What is left to be computed, collected without recursion.
struct Work {
    std::vector<std::vector<const Node*>> levels;  // nodes without memo by depth
    std::vector<const Content*> contents;          // without known digest, each once
    std::unordered_set<const Content*> seen;

    void add_content(const ContentRef& content) {
        if (!content->known_digest() && seen.insert(content.get()).second) contents.push_back(content.get());
    }
};

Work collect(Os os, const NodeRef& top, const CancelToken& cancel) {
    Work work;
    work.levels.push_back({top.get()});
    for (std::size_t depth = 0; depth < work.levels.size(); ++depth) {
        cancel.check();
        if (depth > kMaxDepth) {
            throw fail(ErrorCode::Invalid, "a path has more than {} elements", kMaxDepth);
        }
        std::vector<const Node*> below;
        for (const Node* node : work.levels[depth]) {
            if (node->content) work.add_content(node->content);
            for (const Stream& stream : node->streams) work.add_content(stream.content);
            for (const Child& child : node->children) {
                if (!memo_of(os, *child.node).get()) below.push_back(child.node.get());
            }
        }
        if (!below.empty()) work.levels.push_back(std::move(below));
    }
    return work;
}

void add_windows_metadata(Hasher& hasher, const Node& node) {
    // The directory bit of a symlink decides what it can point at; that of other nodes, and the reparse bit,
    // follow from the kind.
    std::uint32_t counted = attribute::kReadOnly | attribute::kHidden | attribute::kSystem;
    if (node.kind == NodeKind::Symlink) counted |= attribute::kDirectory;
    hasher.number(node.metadata.attributes & counted);
    hasher.number(node.metadata.descriptor ? 1 : 0);
    if (node.metadata.descriptor) hasher.field(*node.metadata.descriptor);
}

void add_linux_metadata(Hasher& hasher, const Node& node) {
    hasher.number(node.metadata.mode).number(node.metadata.uid).number(node.metadata.gid);
}

void add_content(Hasher& hasher, const Content& content) {
    Digest digest = content.known_digest().value();
    hasher.number(content.size());
    hasher.update({reinterpret_cast<const char*>(digest.bytes().data()), Digest::kSize});
}

void add_streams(Hasher& hasher, std::vector<Stream> streams) {
    // The order in which a layer happens to hold them says nothing.
    std::sort(streams.begin(), streams.end(),
              [](const Stream& a, const Stream& b) { return a.name < b.name; });
    hasher.number(streams.size());
    for (const Stream& stream : streams) {
        hasher.field(stream.name);
        add_content(hasher, *stream.content);
    }
}

// Contents and children have their digests by now.
Digest node_digest(Os os, const Node& node) {
    Hasher hasher;
    hasher.field(kScheme)
        .number(static_cast<std::uint64_t>(os))
        .number(static_cast<std::uint64_t>(node.kind));
    os == Os::Windows ? add_windows_metadata(hasher, node) : add_linux_metadata(hasher, node);
    hasher.number(node.metadata.extended_attributes.size());
    for (const auto& [name, value] : node.metadata.extended_attributes) hasher.field(name).field(value);
    hasher.field(node.link_target);
    add_streams(hasher, node.streams);
    hasher.number(node.content ? 1 : 0);
    if (node.content) add_content(hasher, *node.content);
    hasher.number(node.children.size());
    for (const Child& child : node.children) {
        Digest digest = memo_of(os, *child.node).get().value();
        hasher.field(child.name);
        hasher.update({reinterpret_cast<const char*>(digest.bytes().data()), Digest::kSize});
    }
    return hasher.finish();
}

}  // namespace

base::Digest Tree::digest(std::string_view path, ContentProvider& provider, const CancelToken& cancel) const {
    NodeRef top = find(path);
    if (!top) throw fail(ErrorCode::NotFound, "{}: not found", display_path(os_, printable(path)));
    if (auto known = memo_of(os_, *top).get()) return *known;
    Work work = collect(os_, top, cancel);
    parallel_for(work.contents.size(), 1,
                 [&](std::size_t i) { digest_of(*work.contents[i], provider, cancel); });
    // Deepest first, so that every level finds the digests of its children.
    for (; !work.levels.empty(); work.levels.pop_back()) {
        cancel.check();
        const std::vector<const Node*>& level = work.levels.back();
        parallel_for(level.size(), 64, [&](std::size_t i) {
            const Node& node = *level[i];
            memo_of(os_, node).set(node_digest(os_, node));
        });
    }
    return memo_of(os_, *top).get().value();
}

}  // namespace mullion::tree
