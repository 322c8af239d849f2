// A stack of layer folders read as one file system, by overlayfs' rules (whiteouts, opaque directories) and
// with Windows' rules for names.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::hcs {

namespace overlay {
// A character device 0/0, or a file with a whiteout attribute.
bool is_whiteout(const std::filesystem::path& path);
// Hides what lower layers have in it.
bool is_opaque(const std::filesystem::path& directory);
void make_whiteout(const std::filesystem::path& path);
}  // namespace overlay

class LayerStack {
  public:
    enum class Kind { Directory, File, Symlink, Other };

    struct Node {
        std::string path;  // relative to C:\, '/', in the layers' casing
        Kind kind = Kind::Directory;
        std::filesystem::path host;                      // the topmost object
        std::vector<std::filesystem::path> directories;  // of a directory: all that are merged, topmost first
    };

    // `roots` are what C: is merged from, topmost first. They must not change while the object lives.
    explicit LayerStack(std::vector<std::filesystem::path> roots);

    // nullopt if there is nothing of that name. Links are not followed.
    std::optional<Node> find(std::string_view path);
    std::optional<Node> child(const Node& directory, std::string_view name);
    // By folded name.
    std::map<std::string, Node> children(const Node& directory);
    Node root() const;
    // `path` with every element that is there spelled as the layers spell it.
    std::string fold_to_casing(std::string_view path);

  private:
    // The names in one host directory: folded -> as spelled.
    using Listing = std::map<std::string, std::string>;
    const Listing& list(const std::filesystem::path& directory);

    std::vector<std::filesystem::path> roots_;
    std::map<std::filesystem::path, Listing> listings_;
};

}  // namespace mullion::hcs
