#include "worker/archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tree/name.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;
using tree::Node;
using tree::NodeKind;
using tree::Os;

constexpr std::size_t kMaxEntries = 2'000'000;
constexpr std::size_t kMaxNameBytes = std::size_t{256} << 20;
constexpr std::uint64_t kMaxBytes = std::uint64_t{1} << 40;
// Small files stay in memory, as long as all of them are few.
constexpr std::uint64_t kSmallFile = 8 * 1024;
constexpr std::uint64_t kMaxInMemory = std::uint64_t{32} << 20;

std::string shown(std::string_view path) {
    return tree::printable(path.substr(0, 500));
}

base::Error refused(const ArchiveEntry& entry, std::string_view problem) {
    return fail(ErrorCode::Invalid, "archive entry \"{}\" {}", shown(entry.path), problem);
}

// Makes a Tree of entries in the order they come.
class ArchiveTree {
  public:
    using NewFile = std::function<std::filesystem::path()>;

    ArchiveTree(Os os, NewFile new_file) : os_(os), new_file_(std::move(new_file)), editor_(tree::Tree(os)) {
        known_.emplace("", Known{"", NodeKind::Directory});
    }

    void add(ArchiveReader& reader, const base::CancelToken& cancel) {
        const ArchiveEntry& entry = *reader.entry();
        std::string path = clean(entry, entry.path);
        if (++entries_ > kMaxEntries) throw fail(ErrorCode::Invalid, "more than {} entries", kMaxEntries);
        if (path.empty()) return;  // the root itself: the destination keeps what it has
        make_parents(entry, path);
        switch (entry.kind) {
            case ArchiveEntry::Kind::Directory:
                return put(entry, path, node_of(entry, NodeKind::Directory));
            case ArchiveEntry::Kind::File: {
                Node node = node_of(entry, NodeKind::File);
                node.content = read_content(reader, cancel);
                return put(entry, path, std::move(node));
            }
            case ArchiveEntry::Kind::Symlink:
                return add_symlink(entry, path);
            case ArchiveEntry::Kind::HardLink:
                return add_hard_link(entry, path);
            case ArchiveEntry::Kind::Other:
                throw refused(entry, "is a device, FIFO or socket, which cannot be put into an image")
                    .hint("leave it out of the archive");
        }
    }

    tree::Tree finish() {
        tree::Tree tree = editor_.finish();
        if (os_ == Os::Linux) return tree;
        // Windows wants to know which links lead to directories.
        for (const std::string& path : relative_links_) {
            auto target = target_of(tree, path);
            tree::NodeRef link = editor_.find(path);
            if (!target || !link || link->kind != NodeKind::Symlink) continue;
            if (tree.find(*target)->kind != NodeKind::Directory) continue;
            Node node = *link;
            node.metadata.attributes |= tree::attribute::kDirectory;
            editor_.put(path, std::move(node));
        }
        return editor_.finish();
    }

  private:
    struct Known {
        std::string spelling;
        NodeKind kind;
    };

    static std::optional<std::string> target_of(const tree::Tree& tree, const std::string& path) {
        try {
            return tree.resolve(path);
        } catch (const base::Error&) {
            return {};  // links in a circle
        }
    }

    // The tree path of a name: "/./a//b/" is a/b.
    static std::string clean(const ArchiveEntry& entry, std::string_view name) {
        std::string path;
        for (std::string_view element : tree::split(name)) {
            if (element.empty() || element == ".") continue;
            if (element == "..") throw refused(entry, "leads outside of the archive's root");
            path = tree::join(path, element);
        }
        return path;
    }

    void make_parents(const ArchiveEntry& entry, const std::string& path) {
        for (std::size_t slash = path.find('/'); slash != std::string::npos;
             slash = path.find('/', slash + 1)) {
            std::string parent = path.substr(0, slash);
            const Known* known = find(entry, parent);
            if (known == nullptr) {
                ArchiveEntry implied;
                implied.path = parent;
                implied.modified = entry.modified;
                implied.mode = 0755;
                put(implied, parent, node_of(implied, NodeKind::Directory));
            } else if (known->kind != NodeKind::Directory) {
                throw refused(entry, fmt::format("lies below \"{}\", which is no directory", shown(parent)));
            }
        }
    }

    // What is at `path`, spelled the same; null if nothing is.
    Known* find(const ArchiveEntry& entry, const std::string& path) {
        auto found = known_.find(tree::fold(os_, path));
        if (found == known_.end()) return nullptr;
        if (found->second.spelling == path) return &found->second;
        throw refused(
            entry, fmt::format("and \"{}\" are one name in a Windows image", shown(found->second.spelling)))
            .hint("rename one of them in the archive");
    }

    void put(const ArchiveEntry& entry, const std::string& path, Node node) {
        if (Known* known = find(entry, path)) {
            if (known->kind == NodeKind::Directory && node.kind != NodeKind::Directory) {
                throw refused(entry, "would replace a directory of the same name");
            }
            known->kind = node.kind;
        } else {
            if (auto problem = tree::name_problem(os_, tree::base_name(path))) {
                throw refused(entry, "cannot be in the image: the name " + *problem)
                    .hint("rename it in the archive, or add the archive as it is with --unpack=false");
            }
            name_bytes_ += path.size();
            if (name_bytes_ > kMaxNameBytes) {
                throw fail(ErrorCode::Invalid, "names of more than {} bytes", kMaxNameBytes);
            }
            known_.emplace(tree::fold(os_, path), Known{path, node.kind});
        }
        editor_.put(path, std::move(node));
    }

    Node node_of(const ArchiveEntry& entry, NodeKind kind) const {
        Node node;
        node.kind = kind;
        node.metadata.set_times(entry.modified);
        if (os_ == Os::Windows) {
            node.metadata.attributes =
                kind == NodeKind::Directory ? tree::attribute::kDirectory : tree::attribute::kArchive;
        } else {
            node.metadata.mode = entry.mode & 07777;
            node.metadata.uid = entry.uid;
            node.metadata.gid = entry.gid;
            node.metadata.extended_attributes = entry.extended_attributes;
        }
        return node;
    }

    tree::ContentRef read_content(ArchiveReader& reader, const base::CancelToken& cancel) {
        std::uint64_t size = reader.entry()->size;
        if (size <= kSmallFile && in_memory_ + size <= kMaxInMemory) {
            base::StringSink bytes;
            reader.read(bytes, kSmallFile, cancel);
            in_memory_ += bytes.data().size();
            return tree::Content::inline_bytes(bytes.take());
        }
        std::filesystem::path path = new_file_();
        base::AtomicFile file(path);
        base::HashSink hashed(&file);
        reader.read(hashed, kMaxBytes - bytes_, cancel);
        hashed.finish();
        bytes_ += hashed.size();
        auto content = std::make_shared<const tree::Content>(hashed.size(),
                                                             tree::HostFile{path, tree::stat_identity(path)});
        content->remember_digest(hashed.digest());
        return content;
    }

    void add_symlink(const ArchiveEntry& entry, const std::string& path) {
        Node node = node_of(entry, NodeKind::Symlink);
        node.link_target = entry.target;
        bool absolute = entry.target.starts_with('/');
        if (os_ == Os::Windows) {
            std::replace(node.link_target.begin(), node.link_target.end(), '/', '\\');
            absolute = node.link_target.starts_with('\\') || node.link_target.starts_with("C:\\");
            if (node.link_target.starts_with("\\\\") || (!absolute && node.link_target.find(':') < 2)) {
                throw refused(entry,
                              fmt::format("is a link to \"{}\", which is not on C:", shown(entry.target)));
            }
        }
        if (entry.target.empty()) throw refused(entry, "is a link to nothing");
        if (!absolute) check_inside(entry, path);
        put(entry, path, std::move(node));
        if (!absolute) relative_links_.push_back(path);
    }

    void check_inside(const ArchiveEntry& entry, const std::string& path) const {
        auto depth = static_cast<std::ptrdiff_t>(tree::split(path).size()) - 1;
        std::string target = entry.target;
        if (os_ == Os::Windows) std::replace(target.begin(), target.end(), '\\', '/');
        for (std::string_view element : tree::split(target)) {
            if (!element.empty() && element != ".") depth += element == ".." ? -1 : 1;
            if (depth < 0) {
                throw refused(entry, fmt::format("is a link to \"{}\", outside of the archive's root",
                                                 shown(entry.target)));
            }
        }
    }

    void add_hard_link(const ArchiveEntry& entry, const std::string& path) {
        std::string target = clean(entry, entry.target);
        const Known* known = target.empty() ? nullptr : find(entry, target);
        if (known == nullptr || known->kind != NodeKind::File) {
            throw refused(entry,
                          fmt::format("is a hard link to \"{}\", which is no earlier file of the archive",
                                      shown(entry.target)));
        }
        if (target == path) return;
        Node node = *editor_.find(target);
        if (!node.hard_links) {
            node.hard_links = std::make_shared<const tree::HardLinkGroup>();
            editor_.put(target, Node(node));
        }
        put(entry, path, std::move(node));
    }

    Os os_;
    NewFile new_file_;
    tree::TreeEditor editor_;
    std::unordered_map<std::string, Known> known_;  // by folded path
    std::vector<std::string> relative_links_;
    std::size_t entries_ = 0;
    std::size_t name_bytes_ = 0;
    std::uint64_t in_memory_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace

std::optional<tree::Tree> Archives::unpack(std::string_view name, const tree::Content& file,
                                           ArchiveFormats formats, Os os, const base::CancelToken& cancel) {
    auto reader = ArchiveReader::open(contents_.open(file, cancel), formats, spool_, cancel);
    if (!reader) return {};
    return base::with_context([&] { return fmt::format("unpacking \"{}\"", tree::printable(name)); },
                              [&] {
                                  ArchiveTree tree(os,
                                                   [this] { return spool_ / std::to_string(next_file_++); });
                                  for (; reader->entry() != nullptr; reader->next())
                                      tree.add(*reader, cancel);
                                  return tree.finish();
                              });
}

std::optional<base::FileTime> newest_file(const tree::Tree& tree) {
    std::optional<base::FileTime> newest;
    tree.walk("", [&](const std::string& path, const tree::NodeRef& node) {
        if (!path.empty() && (!newest || node->metadata.modified > *newest)) newest = node->metadata.modified;
        return true;
    });
    return newest;
}

bool Archives::is_archive(const tree::Content& file, ArchiveFormats formats,
                          const base::CancelToken& cancel) {
    return ArchiveReader::open(contents_.open(file, cancel), formats, spool_, cancel) != nullptr;
}

}  // namespace mullion::worker
