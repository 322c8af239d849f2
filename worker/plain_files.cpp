#include "worker/plain_files.hpp"

#include <algorithm>

#include "tree/name.hpp"
#include "worker/host_link.hpp"

namespace mullion::worker {
namespace {

using tree::Child;
using tree::Node;
using tree::NodeKind;
using tree::NodeRef;

class Converter {
  public:
    Converter(const tree::Tree& image, std::optional<base::FileTime> time) : image_(image), time_(time) {}

    // Null for a link that is left out. As deep as the tree is (tree::kMaxDepth).
    NodeRef convert(const std::string& path, const Node& node) {
        auto plain = std::make_shared<Node>();
        plain->kind = node.kind == NodeKind::Junction ? NodeKind::Symlink : node.kind;
        plain->metadata = metadata(node);
        plain->content = node.content;
        plain->hard_links = node.hard_links;
        result.streams += node.streams.size();
        if (plain->kind == NodeKind::Symlink) {
            auto target = image_.os() == tree::Os::Linux ? std::optional(node.link_target)
                                                         : host_link_target(image_, path, node);
            if (!target) {
                ++result.links;
                return nullptr;
            }
            plain->link_target = *target;
        }
        for (const Child& child : node.children) {
            NodeRef converted = convert(tree::join(path, child.name), *child.node);
            if (converted) plain->children.push_back({child.name, std::move(converted)});
        }
        std::sort(plain->children.begin(), plain->children.end(),
                  [](const Child& a, const Child& b) { return a.name < b.name; });
        return plain;
    }

    PlainFiles result;

  private:
    tree::Metadata metadata(const Node& node) {
        tree::Metadata plain;
        plain.set_times(time_.value_or(node.metadata.modified));
        if (image_.os() == tree::Os::Linux) {
            plain.mode = node.metadata.mode;
            plain.uid = node.metadata.uid;
            plain.gid = node.metadata.gid;
            plain.extended_attributes = node.metadata.extended_attributes;
            result.owners += plain.uid != 0 || plain.gid != 0 ? 1 : 0;
            result.special_bits += (plain.mode & 07000) != 0 ? 1 : 0;
            result.attributes += plain.extended_attributes.empty() ? 0 : 1;
        } else if (node.kind == NodeKind::File) {
            plain.mode = (node.metadata.attributes & tree::attribute::kReadOnly) != 0 ? 0444 : 0644;
        } else {
            plain.mode = node.kind == NodeKind::Directory ? 0755 : 0777;
        }
        return plain;
    }

    const tree::Tree& image_;
    std::optional<base::FileTime> time_;
};

}  // namespace

PlainFiles plain_files(const tree::Tree& image, std::optional<base::FileTime> time) {
    Converter converter(image, time);
    converter.result.tree = tree::Tree(tree::Os::Linux, converter.convert("", *image.root()));
    return std::move(converter.result);
}

}  // namespace mullion::worker
