#include "worker/other_os.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "tree/reparse.hpp"
#include "worker/file_mode.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;
using tree::Child;
using tree::Node;
using tree::NodeKind;
using tree::NodeRef;
using tree::Os;

constexpr std::uint32_t kLinkMode = 0777;

bool has_drive_c(std::string_view text) {
    return text.size() >= 2 && (text[0] == 'C' || text[0] == 'c') && text[1] == ':';
}

class Translation {
  public:
    Translation(const tree::Tree& from, Os os) : from_(from), os_(os) {}

    NodeRef node(const Node& source, const std::string& path) const {
        auto node = std::make_shared<Node>();
        node->kind = source.kind;
        node->metadata = metadata(source);
        node->content = source.content;
        node->hard_links = source.hard_links;
        if (!source.streams.empty()) {
            throw fail(ErrorCode::Unsupported,
                       "{} has an alternate data stream \"{}\", which no Linux image can hold", shown(path),
                       tree::printable(source.streams[0].name));
        }
        if (tree::is_link(source.kind)) link(*node, source, path);
        node->children = children(source, path);
        return node;
    }

  private:
    std::string shown(std::string_view path) const {
        return tree::display_path(from_.os(), tree::printable(path));
    }

    tree::Metadata metadata(const Node& source) const {
        tree::Metadata metadata;
        metadata.set_times(source.metadata.modified);
        metadata.created = source.metadata.created;
        bool directory = source.kind == NodeKind::Directory;
        if (os_ == Os::Windows) {
            metadata.attributes = directory ? tree::attribute::kDirectory : tree::attribute::kArchive;
        } else {
            metadata.mode = directory ? kPlainDirectoryMode : kPlainFileMode;
        }
        return metadata;
    }

    void link(Node& node, const Node& source, const std::string& path) const {
        node.kind = NodeKind::Symlink;
        std::string target = source.link_target;
        if (os_ == Os::Linux) {
            node.metadata.mode = kLinkMode;
            node.link_target = linux_target(std::move(target), path);
            return;
        }
        bool absolute = target.starts_with('/');
        std::replace(target.begin(), target.end(), '/', '\\');
        node.link_target = fmt::format("{}{}", absolute ? "C:" : "", target);
        node.metadata.attributes = tree::attribute::kReparsePoint;
        if (leads_to_directory(path)) node.metadata.attributes |= tree::attribute::kDirectory;
    }

    std::string linux_target(std::string target, const std::string& path) const {
        std::string_view rest = target;
        for (std::string_view prefix : {"\\??\\", "\\\\?\\"}) {
            if (rest.starts_with(prefix)) rest.remove_prefix(prefix.size());
        }
        if (has_drive_c(rest)) rest.remove_prefix(2);
        std::string out(rest);
        std::replace(out.begin(), out.end(), '\\', '/');
        if (out.starts_with("//") || out.find(':') != std::string::npos) {
            throw fail(ErrorCode::Unsupported, "{} is a link to {}, which is not on C:", shown(path),
                       tree::printable(target));
        }
        return out;
    }

    bool leads_to_directory(const std::string& path) const {
        try {
            auto target = from_.resolve(path);
            return target && from_.find(*target)->kind == NodeKind::Directory;
        } catch (const base::Error& error) {
            if (error.code() != ErrorCode::Invalid) throw;
            return false;  // a cycle leads nowhere
        }
    }

    // In the order of the other OS.
    std::vector<Child> children(const Node& source, const std::string& path) const {
        std::map<std::string, const Child*> ordered;
        for (const Child& child : source.children) {
            auto [other, added] = ordered.try_emplace(tree::fold(os_, child.name), &child);
            if (added) continue;
            throw fail(ErrorCode::Invalid, "{} and {} differ only by case and are the same name on Windows",
                       shown(tree::join(path, other->second->name)), shown(tree::join(path, child.name)));
        }
        std::vector<Child> children;
        for (const auto& [folded, child] : ordered) {
            children.push_back({child->name, node(*child->node, tree::join(path, child->name))});
        }
        return children;
    }

    const tree::Tree& from_;
    Os os_;
};

}  // namespace

NodeRef for_other_os(const NodeRef& node, const tree::Tree& from, const std::string& path, Os os) {
    return Translation(from, os).node(*node, path);
}

}  // namespace mullion::worker
