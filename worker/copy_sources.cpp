#include "worker/copy_sources.hpp"

#include <algorithm>
#include <deque>
#include <optional>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "tree/pattern.hpp"
#include "tree/reparse.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;
using tree::Child;
using tree::Node;
using tree::NodeKind;
using tree::NodeRef;

constexpr int kMaxLinks = 40;

// Follows a path of a context element by element and refuses links that leave it. What tree.resolve() would
// quietly confine to the root is here most likely a mistake, or an attack.
void check_links(const tree::Tree& tree, std::string_view path) {
    std::deque<std::string> pending;
    for (std::string_view element : tree::split(path)) pending.emplace_back(element);
    std::string at;
    for (int links = 0; !pending.empty();) {
        std::string name = std::move(pending.front());
        pending.pop_front();
        if (name.empty() || name == ".") continue;
        if (name == "..") {
            at = tree::parent_of(at);
            continue;
        }
        std::string next = tree::join(at, name);
        NodeRef node = tree.find(next);
        if (!node) return;
        if (!tree::is_link(node->kind)) {
            at = next;
            continue;
        }
        std::string target = node->link_target;
        std::replace(target.begin(), target.end(), '\\', '/');
        bool escapes = target.starts_with('/') || (target.size() > 1 && target[1] == ':');
        std::ptrdiff_t depth = static_cast<std::ptrdiff_t>(tree::split(at).size());
        for (std::string_view element : tree::split(target)) {
            if (element != "." && !element.empty()) depth += element == ".." ? -1 : 1;
            escapes = escapes || depth < 0;
        }
        if (escapes || ++links > kMaxLinks) {
            throw fail(ErrorCode::Invalid, "\"/{}\": the symlink \"{}\" leads {} (to \"{}\")",
                       tree::printable(path), tree::printable(next),
                       escapes ? "outside the build context" : "nowhere", tree::printable(node->link_target))
                .hint("copy what it points at into the context, or exclude the link");
        }
        std::vector<std::string_view> elements = tree::split(target);
        pending.insert(pending.begin(), elements.begin(), elements.end());
    }
}

base::Error not_found(std::string_view source, bool is_context) {
    base::Error error =
        fail(ErrorCode::NotFound, "\"/{}\": not found", tree::printable(source)).about(source);
    if (is_context) error.hint("the path is relative to the build context; the ignore file may exclude it");
    return error;
}

// A node without what `exclude` names; `path` is relative to the source. Null if nothing of it is left.
NodeRef without_excluded(const NodeRef& node, const tree::IgnorePatterns& exclude, const std::string& path) {
    bool ignored = exclude.ignored(path);
    if (node->kind != NodeKind::Directory) return ignored ? nullptr : node;
    if (ignored && exclude.can_skip_directory(path)) return nullptr;
    std::vector<Child> children;
    bool changed = false;
    for (const Child& child : node->children) {
        NodeRef kept = without_excluded(child.node, exclude, tree::join(path, child.name));
        changed = changed || kept != child.node;
        if (kept) children.push_back({child.name, std::move(kept)});
    }
    if (ignored && children.empty()) return nullptr;
    if (!changed) return node;
    auto copy = std::make_shared<Node>(*node);
    copy->children = std::move(children);
    return copy;
}

class Selector {
  public:
    Selector(const solver::CopyAction& action, const CopyInput& input)
        : input_(input), exclude_(tree::IgnorePatterns::from_lines(action.exclude)) {}

    void source(const std::string& source) {
        elements_.clear();
        pivot_ = 0;
        for (std::string_view element : tree::split(source)) {
            if (element == "..") {
                throw fail(ErrorCode::Invalid, "\"{}\" leads outside of what it is copied from",
                           tree::printable(source))
                    .about(source);
            }
            if (element == ".") {
                pivot_ = elements_.size();
            } else {
                elements_.push_back(element);
            }
        }
        match("", 0);
    }

    std::vector<CopySource> take() { return std::move(found_); }

  private:
    // The existing path that `path` leads to, links followed.
    std::optional<std::string> follow(const std::string& path) const {
        if (input_.is_context) check_links(input_.tree, path);
        return input_.tree.resolve(path);
    }

    void add(const std::string& path) {
        auto target = follow(path);
        if (!target) throw not_found(path, input_.is_context);
        NodeRef node = input_.tree.find(*target);
        if (!exclude_.empty()) {
            bool directory = node->kind == NodeKind::Directory;
            node = without_excluded(node, exclude_, directory ? "" : std::string(tree::base_name(path)));
            if (!node) return;
        }
        std::string folded = input_.tree.fold_to_casing(path);
        std::string kept;
        std::vector<std::string_view> elements = tree::split(folded);
        for (std::size_t i = pivot_; i < elements.size(); ++i) kept = tree::join(kept, elements[i]);
        found_.push_back({std::move(folded), std::move(kept), without_system_folders(path, node)});
    }

    // What Windows keeps in the root of every volume is no file of the image (dockerfile.md §11).
    NodeRef without_system_folders(const std::string& path, const NodeRef& node) const {
        if (!path.empty() || input_.is_context || input_.tree.os() != tree::Os::Windows) return node;
        auto unwanted = [](const Child& child) {
            return tree::names_equal(tree::Os::Windows, child.name, "System Volume Information") ||
                   tree::names_equal(tree::Os::Windows, child.name, "WcSandboxState");
        };
        if (std::none_of(node->children.begin(), node->children.end(), unwanted)) return node;
        auto copy = std::make_shared<Node>(*node);
        std::erase_if(copy->children, unwanted);
        return copy;
    }

    // Recursion is as deep as the pattern has elements.
    void match(const std::string& directory, std::size_t at) {
        if (at == elements_.size()) return add(directory);
        std::string_view element = elements_[at];
        if (!tree::Glob::has_wildcard(element)) {
            std::string path = tree::join(directory, element);
            // Behind a wildcard a name need not be everywhere.
            if (behind_wildcard(at) && !follow(path)) return;
            return match(path, at + 1);
        }
        tree::Glob glob(element, input_.tree.os() == tree::Os::Windows);
        auto target = follow(directory);
        NodeRef node = target ? input_.tree.find(*target) : nullptr;
        if (!node || node->kind != NodeKind::Directory) return;
        for (const Child& child : node->children) {
            bool last = at + 1 == elements_.size();
            bool enter = last || tree::is_link(child.node->kind) || child.node->kind == NodeKind::Directory;
            if (enter && glob.matches(child.name)) match(tree::join(directory, child.name), at + 1);
        }
    }

    bool behind_wildcard(std::size_t at) const {
        return std::any_of(elements_.begin(), elements_.begin() + static_cast<std::ptrdiff_t>(at),
                           tree::Glob::has_wildcard);
    }

    const CopyInput& input_;
    tree::IgnorePatterns exclude_;
    std::vector<std::string_view> elements_;  // of the source at hand, without "."
    std::size_t pivot_ = 0;                   // how many of them --parents drops
    std::vector<CopySource> found_;
};

}  // namespace

std::vector<CopySource> select_sources(const solver::CopyAction& action, const CopyInput& input) {
    Selector selector(action, input);
    for (const std::string& source : action.sources) selector.source(source);
    return selector.take();
}

base::Digest selection_digest(const solver::CopyAction& action, const CopyInput& input,
                              tree::ContentProvider& contents, const base::CancelToken& cancel) {
    base::Hasher hasher;
    for (const std::string& source : action.sources) {
        Selector selector(action, input);
        selector.source(source);
        std::vector<CopySource> found = selector.take();
        hasher.number(found.size());
        for (const CopySource& selected : found) {
            bool directory = selected.node->kind == NodeKind::Directory;
            hasher.field(action.keep_parents ? selected.kept
                                             : std::string(directory ? "" : tree::base_name(selected.path)));
            hasher.field(tree::Tree(input.tree.os(), selected.node).digest("", contents, cancel).string());
        }
    }
    return hasher.finish();
}

}  // namespace mullion::worker
