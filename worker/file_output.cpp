#include "worker/file_output.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;
using tree::Node;
using tree::NodeKind;
using tree::NodeRef;

// Trees on top of one another; only directories may meet.
class Union {
  public:
    void add(const tree::Tree& files, const std::string& platform) {
        files.walk("", [&](const std::string& path, const NodeRef& node) {
            auto [origin, is_new] = origins_.try_emplace(path, platform);
            if (is_new) {
                editor_.put(path, tree::without_children(node));
            } else if (!path.empty()) {
                check_directories(path, *node, origin->second, platform);
            }
            return true;
        });
    }
    tree::Tree finish() { return editor_.finish(); }

  private:
    void check_directories(const std::string& path, const Node& node, const std::string& first,
                           const std::string& second) const {
        bool both = editor_.find(path)->kind == NodeKind::Directory && node.kind == NodeKind::Directory;
        if (both) return;
        throw fail(ErrorCode::Exists, "cannot overwrite {} from {} with {} when platform-split is off", path,
                   first, second)
            .hint("without platform-split=false each platform gets a directory of its own");
    }

    tree::TreeEditor editor_{tree::Tree(tree::Os::Linux)};
    std::map<std::string, std::string> origins_;  // path -> the platform it is of
};

// One directory per platform.
tree::Tree side_by_side(const std::vector<tree::Tree>& trees, const std::vector<std::string>& names) {
    auto root = std::make_shared<Node>();
    root->metadata = trees.front().root()->metadata;
    for (std::size_t i = 0; i < trees.size(); ++i) root->children.push_back({names[i], trees[i].root()});
    std::sort(root->children.begin(), root->children.end(),
              [](const tree::Child& a, const tree::Child& b) { return a.name < b.name; });
    return {tree::Os::Linux, std::move(root)};
}

}  // namespace

std::string platform_directory(const oci::Platform& platform) {
    std::string name = platform.string();
    std::replace(name.begin(), name.end(), '/', '_');
    return name;
}

bool splits_platforms(const ExportInput& input, std::optional<bool> wanted) {
    return wanted.value_or(input.makes_index);
}

PlainFiles output_files(const ExportInput& input, bool split, const base::CancelToken& cancel) {
    PlainFiles output;
    std::vector<tree::Tree> trees;
    std::vector<std::string> directories;
    Union together;
    for (const BuiltImage& image : input.images) {
        PlainFiles files = plain_files(image.snapshot->tree(cancel), image.source_date_epoch);
        output.streams += files.streams;
        output.links += files.links;
        output.owners += files.owners;
        output.special_bits += files.special_bits;
        output.attributes += files.attributes;
        directories.push_back(platform_directory(image.config.platform));
        if (!split && input.images.size() > 1) together.add(files.tree, image.config.platform.string());
        trees.push_back(std::move(files.tree));
    }
    output.tree = split              ? side_by_side(trees, directories)
                  : trees.size() > 1 ? together.finish()
                                     : trees.front();
    return output;
}

}  // namespace mullion::worker
