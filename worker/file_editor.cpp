#include "worker/file_editor.hpp"

#include <map>
#include <utility>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "tree/reparse.hpp"
#include "worker/file_mode.hpp"
#include "worker/other_os.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;
using tree::Child;
using tree::Metadata;
using tree::Node;
using tree::NodeKind;
using tree::NodeRef;
using tree::Os;

// 1980-01-01T00:00:00Z, the oldest time all tools of the trade accept.
constexpr base::FileTime kDefaultEpoch = base::FileTime::from_seconds(315'532'800);

}  // namespace

base::FileTime epoch_of(const std::optional<std::int64_t>& ticks) {
    return ticks ? base::FileTime{*ticks} : kDefaultEpoch;
}

// One action at work.
struct FileEditor::Edit {
    FileEditor& owner;
    Os os;
    // Of what is copied or written, and of the directories that are made on the way to it.
    Owner account;
    Owner on_the_way;
    Descriptors descriptors;
    Descriptors plain_descriptors;
    std::optional<FileMode> mode;
    tree::TreeEditor editor;
    bool edited = false;
    bool unpacking = false;
    bool reown = false;
    // Copies of names of one file are names of one new file.
    std::map<tree::HardLinkRef, tree::HardLinkRef> links;

    Edit(FileEditor& file_editor, const std::optional<solver::Ownership>& ownership,
         const std::optional<std::string>& chmod)
        : owner(file_editor),
          os(file_editor.tree_.os()),
          account(resolve_owner(os, ownership, file_editor.accounts_)),
          on_the_way(resolve_owner(os, {}, file_editor.accounts_)),
          descriptors(account),
          plain_descriptors(on_the_way),
          editor(file_editor.tree_) {
        if (chmod) mode = FileMode::parse(*chmod);
    }

    // A tree that nothing was put into stays the same value.
    void finish() {
        if (std::exchange(edited, false)) owner.tree_ = editor.finish();
    }

    void put(const std::string& path, Node node) {
        editor.put(path, std::move(node));
        edited = true;
    }

    std::string display(std::string_view path) const { return tree::display_path(os, tree::printable(path)); }

    // A destination with the links on its way followed, as far as it exists, in the tree's casing.
    std::string resolve(std::string_view path) {
        finish();
        if (!owner.follow_links_) return owner.tree_.fold_to_casing(path);
        std::string at;
        bool missing = false;
        for (std::string_view element : tree::split(path)) {
            std::string next = tree::join(at, element);
            NodeRef node = missing ? nullptr : owner.tree_.find(next);
            missing = !node;
            if (node && tree::is_link(node->kind)) {
                auto target = owner.tree_.resolve(next);
                if (!target) {
                    throw fail(ErrorCode::Invalid, "{} leads through the link {}, whose target is not there",
                               display(path), display(next));
                }
                at = *target;
            } else {
                at = std::move(next);
            }
        }
        return owner.tree_.fold_to_casing(at);
    }

    void check_name(std::string_view path) const {
        std::string_view name = tree::base_name(path);
        if (auto problem = tree::name_problem(os, name)) {
            throw fail(ErrorCode::Invalid, "cannot create {}: the name \"{}\" {}", display(path),
                       tree::printable(name), *problem);
        }
    }

    tree::DescriptorRef parent_descriptor(std::string_view path) const {
        return editor.find(tree::parent_of(path))->metadata.descriptor;
    }

    // Owner, mode and descriptor of what the action puts at `path`.
    void place(Metadata& metadata, std::string_view path, NodeKind kind) {
        bool directory = kind == NodeKind::Directory;
        if (os == Os::Linux) {
            if (unpacking) {
                if (!reown) return;
            } else if (mode && kind != NodeKind::Symlink) {
                metadata.mode = mode->apply(metadata.mode, directory);
            }
            metadata.uid = account.uid;
            metadata.gid = account.gid;
            return;
        }
        metadata.mode = metadata.uid = metadata.gid = 0;
        metadata.descriptor = metadata.descriptor ? descriptors.copied(metadata.descriptor)
                                                  : descriptors.inherited(parent_descriptor(path), directory);
        if (!mode || unpacking) return;
        std::uint32_t bits = mode->apply(directory ? kPlainDirectoryMode : kPlainFileMode, directory);
        metadata.descriptor = descriptors.with_mode(metadata.descriptor, bits, directory);
    }

    Node new_node(NodeKind kind) {
        Node node;
        node.kind = kind;
        node.metadata.set_times(owner.epoch_);
        bool directory = kind == NodeKind::Directory;
        node.metadata.mode = directory ? kPlainDirectoryMode : kPlainFileMode;
        if (os == Os::Windows) {
            node.metadata.attributes = directory ? tree::attribute::kDirectory : tree::attribute::kArchive;
        }
        return node;
    }

    // A directory that is made because something is to lie in it: neither --chown nor --chmod is for it.
    Node directory_on_the_way(std::string_view path) {
        Node node = new_node(NodeKind::Directory);
        node.metadata.uid = on_the_way.uid;
        node.metadata.gid = on_the_way.gid;
        if (os == Os::Windows) {
            node.metadata.mode = node.metadata.uid = node.metadata.gid = 0;
            node.metadata.descriptor = plain_descriptors.inherited(parent_descriptor(path), true);
        }
        return node;
    }

    // A directory of the action's own.
    Node own_directory(std::string_view path) {
        Node node = new_node(NodeKind::Directory);
        place(node.metadata, path, NodeKind::Directory);
        return node;
    }

    // A directory at `path` (resolved), parents included. `own`: which of those that are made are the
    // action's own.
    enum class Own { None, Last, All };
    void directories(const std::string& path, Own own) {
        std::string at;
        for (std::string_view element : tree::split(path)) {
            at = tree::join(at, element);
            NodeRef node = editor.find(at);
            if (node && node->kind != NodeKind::Directory) {
                throw fail(ErrorCode::Invalid, "cannot create the directory {}: {} is not a directory",
                           display(path), display(at));
            }
            if (node) continue;
            check_name(at);
            bool is_own = own == Own::All || (own == Own::Last && at.size() == path.size());
            put(at, is_own ? own_directory(at) : directory_on_the_way(at));
        }
    }

    bool is_directory(const std::string& path) const {
        NodeRef node = editor.find(path);
        return node && node->kind == NodeKind::Directory;
    }

    // A file, or anything but a directory.
    void put_file(const std::string& path, Node node) {
        check_name(path);
        if (is_directory(path)) {
            throw fail(ErrorCode::Invalid, "cannot overwrite the directory {} with a file", display(path));
        }
        put(path, std::move(node));
    }

    Node copy_of(const Node& source, const std::string& path) {
        Node node;
        node.kind = source.kind;
        node.metadata = source.metadata;
        node.content = source.content;
        node.streams = source.streams;
        node.link_target = source.link_target;
        if (source.hard_links) {
            tree::HardLinkRef& group = links[source.hard_links];
            if (!group) group = std::make_shared<const tree::HardLinkGroup>();
            node.hard_links = group;
        }
        node.metadata.tar_form = 0;
        node.metadata.accessed = node.metadata.changed = node.metadata.modified;
        place(node.metadata, path, source.kind);
        return node;
    }

    // Copies what is in a directory to `path`, which exists; as deep as the source is (tree::kMaxDepth).
    void copy_children(const Node& source, const std::string& path) {
        for (const Child& child : source.children) copy_node(*child.node, tree::join(path, child.name));
    }

    // An archive's files into a directory. They keep their modes, and their owners unless --chown is given.
    void unpack(const tree::Tree& files, const std::string& destination, bool new_owner) {
        unpacking = true;
        reown = new_owner;
        directories(destination, Own::Last);
        copy_children(*files.root(), destination);
        unpacking = false;
    }

    void copy_node(const Node& source, std::string path) {
        if (source.kind != NodeKind::Directory) {
            put_file(path, copy_of(source, path));
            return;
        }
        NodeRef there = editor.find(path);
        if (there && tree::is_link(there->kind) && owner.follow_links_) {
            auto target = owner.tree_.resolve(path);
            if (target) path = *target;
            there = editor.find(path);
        }
        if (there && there->kind != NodeKind::Directory) {
            throw fail(ErrorCode::Invalid, "cannot overwrite {}, which is not a directory, with a directory",
                       display(path));
        }
        if (!there) {
            check_name(path);
            put(path, copy_of(source, path));
        }
        copy_children(source, path);
    }
};

void FileEditor::copy(const solver::CopyAction& action, const CopyInput& input, Archives& archives,
                      const base::CancelToken& cancel) {
    Edit edit(*this, action.owner, action.mode);
    std::vector<CopySource> sources = select_sources(action, input);
    bool into_directory = action.destination_is_directory || action.sources.size() > 1 || sources.size() > 1;
    for (CopySource& source : sources) {
        cancel.check();
        if (input.tree.os() != tree_.os()) {
            source.node = for_other_os(source.node, input.tree, source.path, tree_.os());
        }
        bool directory = source.node->kind == NodeKind::Directory;
        std::string destination = edit.resolve(action.destination);
        if (action.unpack_archives && source.node->kind == NodeKind::File) {
            auto formats = action.unpack_zip ? ArchiveFormats::TarAndZip : ArchiveFormats::Tar;
            auto files = archives.unpack(source.path, *source.node->content, formats, tree_.os(), cancel);
            if (files) {
                edit.unpack(*files, destination, action.owner.has_value());
                continue;
            }
        }
        if (action.keep_parents) {
            edit.directories(destination, Edit::Own::None);
            std::string kept = tree::join(destination, source.kept);
            edit.directories(std::string(directory ? kept : tree::parent_of(kept)), Edit::Own::All);
            directory ? edit.copy_children(*source.node, kept) : edit.copy_node(*source.node, kept);
        } else if (directory) {
            edit.directories(destination, Edit::Own::Last);
            edit.copy_children(*source.node, destination);
        } else {
            bool inside = into_directory || destination.empty() || edit.is_directory(destination);
            if (inside) destination = tree::join(destination, tree::base_name(source.path));
            edit.directories(std::string(tree::parent_of(destination)), Edit::Own::None);
            edit.copy_node(*source.node, destination);
        }
    }
    edit.finish();
}

void FileEditor::write_file(const solver::WriteFileAction& action) {
    Edit edit(*this, action.owner, action.mode);
    std::string path = edit.resolve(action.destination);
    if (action.destination_is_directory || path.empty() || edit.is_directory(path)) {
        path = tree::join(path, action.name);
    }
    edit.directories(std::string(tree::parent_of(path)), Edit::Own::None);
    Node node = edit.new_node(NodeKind::File);
    edit.place(node.metadata, path, NodeKind::File);
    node.content = tree::Content::inline_bytes(action.data);
    edit.put_file(path, std::move(node));
    edit.finish();
}

void FileEditor::make_directory(const solver::MakeDirectoryAction& action) {
    Edit edit(*this, action.owner, {});
    edit.directories(edit.resolve(action.path), Edit::Own::All);
    edit.finish();
}

}  // namespace mullion::worker
