#include <algorithm>
#include <deque>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "tree/reparse.hpp"
#include "tree/tree.hpp"

namespace mullion::tree {
namespace {

constexpr int kMaxLinks = 40;  // Linux' own limit (path_resolution(7)); Windows stops at 63 reparse points

struct Target {
    bool absolute = false;
    std::vector<std::string> elements;
};

bool is_drive(std::string_view text, char drive) {
    return text.size() >= 2 && (text[0] | 0x20) == (drive | 0x20) && text[1] == ':';
}

// The target of a Windows link as stored: `\??\C:\x`, `\\?\C:\x`, `C:\x`, `\x` or relative. nullopt for what
// is not on C:.
std::optional<Target> parse_windows_target(std::string text) {
    if (is_host_target(text)) return {};
    std::replace(text.begin(), text.end(), '/', '\\');
    std::string_view rest = text;
    bool native = rest.starts_with("\\??\\") || rest.starts_with("\\\\?\\");
    if (native) rest.remove_prefix(4);
    Target target;
    if (is_drive(rest, 'C')) {
        rest.remove_prefix(2);
        // "C:x" means x below the current directory of that drive: a link has none.
        if (!rest.empty() && rest.front() != '\\') return {};
        target.absolute = true;
    } else if (native || rest.starts_with("\\\\")) {
        return {};
    } else {
        target.absolute = rest.starts_with('\\');
    }
    std::string slashed(rest);
    std::replace(slashed.begin(), slashed.end(), '\\', '/');
    for (std::string_view element : split(slashed)) target.elements.emplace_back(element);
    return target;
}

std::optional<Target> parse_target(Os os, const Node& link) {
    if (os == Os::Windows) return parse_windows_target(link.link_target);
    Target target;
    target.absolute = link.link_target.starts_with('/');
    for (std::string_view element : split(link.link_target)) target.elements.emplace_back(element);
    return target;
}

// A path on its way: the elements reached so far and those still to come.
struct Walker {
    Os os;
    std::vector<const Child*> reached;
    std::deque<std::string> pending;
    const Node* root;

    const Node& here() const { return reached.empty() ? *root : *reached.back()->node; }
    void prepend(const std::vector<std::string>& elements) {
        pending.insert(pending.begin(), elements.begin(), elements.end());
    }
};

// One element further; false if the way ends here.
bool advance(Walker& walker, int& links, std::string_view whole) {
    std::string name = std::move(walker.pending.front());
    walker.pending.pop_front();
    if (name.empty() || name == ".") return true;
    if (name == "..") {
        if (!walker.reached.empty()) walker.reached.pop_back();
        return true;
    }
    const Child* child = find_child(walker.os, walker.here(), name);
    if (child == nullptr) return false;
    if (!is_link(child->node->kind)) {
        walker.reached.push_back(child);
        return true;
    }
    if (++links > kMaxLinks) {
        throw base::fail(base::ErrorCode::Invalid, "too many links on the way to {}",
                         display_path(walker.os, printable(whole)));
    }
    std::optional<Target> target = parse_target(walker.os, *child->node);
    if (!target) return false;
    if (target->absolute) walker.reached.clear();
    walker.prepend(target->elements);
    return true;
}

}  // namespace

std::optional<std::string> Tree::resolve(std::string_view path) const {
    Walker walker{os_, {}, {}, root_.get()};
    for (std::string_view element : split(path)) walker.pending.emplace_back(element);
    int links = 0;
    while (!walker.pending.empty()) {
        if (!advance(walker, links, path)) return {};
    }
    std::string resolved;
    for (const Child* child : walker.reached) resolved = join(resolved, child->name);
    return resolved;
}

}  // namespace mullion::tree
