#include "hcs/layer_stack.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cerrno>

#include "base/error.hpp"
#include "tree/name.hpp"

namespace mullion::hcs {

namespace fs = std::filesystem;

namespace overlay {
namespace {

// Kernels mark with "trusted." for root and "user." for mounts in user namespaces (userxattr).
bool has_attribute(const fs::path& path, const char* name, std::string_view values) {
    for (const char* space : {"trusted.overlay.", "user.overlay."}) {
        char value[4];
        ssize_t size = ::lgetxattr(path.c_str(), (std::string(space) + name).c_str(), value, sizeof value);
        if (size < 0) continue;
        if (values.empty() || (size == 1 && values.find(value[0]) != std::string_view::npos)) return true;
    }
    return false;
}

}  // namespace

bool is_whiteout(const fs::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return false;
    if (S_ISCHR(status.st_mode)) return status.st_rdev == makedev(0, 0);
    return S_ISREG(status.st_mode) && status.st_size == 0 && has_attribute(path, "whiteout", "");
}

bool is_opaque(const fs::path& directory) {
    return has_attribute(directory, "opaque", "y");
}

void make_whiteout(const fs::path& path) {
    if (::mknod(path.c_str(), S_IFCHR, makedev(0, 0)) != 0) {
        throw base::system_error(errno, fmt::format("cannot make a whiteout at {}", path.string()));
    }
}

}  // namespace overlay

namespace {

LayerStack::Kind kind_of(const fs::path& path) {
    switch (fs::symlink_status(path).type()) {
        case fs::file_type::directory:
            return LayerStack::Kind::Directory;
        case fs::file_type::regular:
            return LayerStack::Kind::File;
        case fs::file_type::symlink:
            return LayerStack::Kind::Symlink;
        default:
            return LayerStack::Kind::Other;
    }
}

}  // namespace

LayerStack::LayerStack(std::vector<fs::path> roots) : roots_(std::move(roots)) {}

LayerStack::Node LayerStack::root() const {
    return {"", Kind::Directory, roots_.front(), roots_};
}

const LayerStack::Listing& LayerStack::list(const fs::path& directory) {
    auto [found, fresh] = listings_.try_emplace(directory);
    if (!fresh) return found->second;
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory, error)) {
        std::string name = entry.path().filename().string();
        found->second[tree::fold(tree::Os::Windows, name)] = name;
    }
    if (error && error != std::errc::no_such_file_or_directory) {
        throw base::system_error(error, fmt::format("cannot list {}", directory.string()));
    }
    return found->second;
}

std::optional<LayerStack::Node> LayerStack::child(const Node& directory, std::string_view name) {
    std::string folded = tree::fold(tree::Os::Windows, name);
    std::optional<Node> node;
    for (const fs::path& part : directory.directories) {
        const Listing& names = list(part);
        auto found = names.find(folded);
        if (found == names.end()) continue;
        fs::path host = part / found->second;
        if (overlay::is_whiteout(host)) break;
        Kind kind = kind_of(host);
        if (node && kind != Kind::Directory) break;  // hidden by the directory above it
        if (!node) node = Node{tree::join(directory.path, found->second), kind, host, {}};
        if (kind != Kind::Directory) break;
        node->directories.push_back(host);
        if (overlay::is_opaque(host)) break;
    }
    return node;
}

std::map<std::string, LayerStack::Node> LayerStack::children(const Node& directory) {
    std::map<std::string, Node> nodes;
    for (const fs::path& part : directory.directories) {
        for (const auto& [folded, name] : list(part)) {
            if (nodes.contains(folded)) continue;
            if (std::optional<Node> node = child(directory, name)) nodes.emplace(folded, std::move(*node));
        }
    }
    return nodes;
}

std::optional<LayerStack::Node> LayerStack::find(std::string_view path) {
    Node node = root();
    for (std::string_view name : tree::split(path)) {
        if (node.kind != Kind::Directory) return std::nullopt;
        std::optional<Node> next = child(node, name);
        if (!next) return std::nullopt;
        node = std::move(*next);
    }
    return node;
}

std::string LayerStack::fold_to_casing(std::string_view path) {
    std::optional<Node> node = root();
    std::string result;
    for (std::string_view name : tree::split(path)) {
        if (node) node = node->kind == Kind::Directory ? child(*node, name) : std::nullopt;
        result = node ? node->path : tree::join(result, name);
    }
    return result;
}

}  // namespace mullion::hcs
