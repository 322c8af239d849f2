#include "worker/host_link.hpp"

#include <algorithm>
#include <vector>

#include "base/error.hpp"
#include "tree/name.hpp"

namespace mullion::worker {
namespace {

std::string relative_path(std::string_view from, std::string_view to) {
    std::vector<std::string_view> source = tree::split(from);
    std::vector<std::string_view> target = tree::split(to);
    std::size_t common = 0;
    while (common < source.size() && common < target.size() && source[common] == target[common]) ++common;
    std::string path;
    for (std::size_t i = common; i < source.size(); ++i) path = tree::join(path, "..");
    for (std::size_t i = common; i < target.size(); ++i) path = tree::join(path, target[i]);
    return path.empty() ? "." : path;
}

std::optional<std::string> resolved(const tree::Tree& tree, std::string_view path) {
    try {
        return tree.resolve(path);
    } catch (const base::Error& error) {
        if (error.code() != base::ErrorCode::Invalid) throw;
        return {};  // a cycle
    }
}

// Where a link would lead if everything on the way were there.
std::optional<std::string> lexical_target(tree::Os os, std::string_view path, std::string_view target) {
    if (os == tree::Os::Linux) return tree::normalise(os, target, tree::parent_of(path));
    if (target.starts_with("\\\\?\\") || target.starts_with("\\??\\")) target.remove_prefix(4);
    try {
        return tree::normalise(os, target, tree::parent_of(path));
    } catch (const base::Error&) {
        return {};  // not on C:
    }
}

}  // namespace

std::optional<std::string> host_link_target(const tree::Tree& tree, std::string_view path,
                                            const tree::Node& link) {
    auto target = resolved(tree, path);
    if (!target) target = lexical_target(tree.os(), path, link.link_target);
    if (!target) return {};
    return relative_path(tree::parent_of(path), *target);
}

}  // namespace mullion::worker
