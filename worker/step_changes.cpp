#include "worker/step_changes.hpp"

#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "worker/ownership.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;
using tree::Metadata;
using tree::Node;
using tree::NodeKind;
using tree::NodeRef;
using tree::Os;

Owner owner_with(const std::string& sid) {
    Owner owner;
    owner.user_sid = sid;
    return owner;
}

tree::ContentRef host_content(const std::filesystem::path& path) {
    if (path.empty()) return tree::Content::inline_bytes({});
    tree::StatIdentity identity = tree::stat_identity(path);
    return std::make_shared<const tree::Content>(identity.size, tree::HostFile{path, identity});
}

class ChangeReader {
  public:
    ChangeReader(const StepRules& rules, tree::ContentProvider& contents, const base::CancelToken& cancel)
        : rules_(rules), contents_(contents), cancel_(cancel), descriptors_(owner_with(rules.owner_sid)) {}

    void add(const hcs::RawChange& change) {
        cancel_.check();
        if (change.kind != hcs::RawChange::Kind::Removal) add_parents(change.path);
        if (change.metadata) return recorded(change);
        switch (change.kind) {
            case hcs::RawChange::Kind::Removal:
                changes_.push_back(tree::Removal{change.path});
                break;
            case hcs::RawChange::Kind::Directory:
                directory(change);
                break;
            case hcs::RawChange::Kind::File:
                file(change);
                break;
            case hcs::RawChange::Kind::Symlink:
            case hcs::RawChange::Kind::Junction:
                symlink(change);
                break;
        }
    }

    std::vector<tree::Change> take() { return std::move(changes_); }

  private:
    // The first name of a file with several; no node until it was seen.
    struct FirstName {
        std::string path;
        NodeRef node;
        bool changed = false;
    };

    // nullptr for a file with one name.
    FirstName* first_name(const hcs::RawChange& change) {
        return change.hard_link_group ? &first_names_[*change.hard_link_group] : nullptr;
    }

    base::FileTime time_of(base::FileTime time) const { return time >= rules_.started ? rules_.epoch : time; }

    Metadata new_metadata(const hcs::RawChange& change, bool directory) {
        Metadata metadata;
        metadata.set_times(time_of(change.modified));
        metadata.created = rules_.epoch;
        metadata.attributes = directory ? tree::attribute::kDirectory : tree::attribute::kArchive;
        metadata.descriptor = descriptors_.inherited(parent_descriptor(change.path), directory);
        return metadata;
    }

    tree::DescriptorRef parent_descriptor(std::string_view path) const {
        std::string_view parent = tree::parent_of(path);
        auto made = made_.find(tree::fold(Os::Windows, parent));
        if (made != made_.end()) return made->second;
        NodeRef node = rules_.lower.find(parent);
        return node ? node->metadata.descriptor : nullptr;
    }

    NodeRef lower_node(std::string_view path, NodeKind kind) const {
        NodeRef node = rules_.lower.find(path);
        return node && node->kind == kind ? node : nullptr;
    }

    void put(const std::string& path, NodeRef node, std::optional<std::string> hard_link = {}) {
        changes_.push_back(tree::Upsert{path, std::move(node), std::move(hard_link)});
    }

    static NodeKind kind_of(hcs::RawChange::Kind kind) {
        switch (kind) {
            case hcs::RawChange::Kind::Directory:
                return NodeKind::Directory;
            case hcs::RawChange::Kind::Symlink:
                return NodeKind::Symlink;
            case hcs::RawChange::Kind::Junction:
                return NodeKind::Junction;
            default:
                return NodeKind::File;
        }
    }

    // What Windows itself exported.
    void recorded(const hcs::RawChange& change) {
        FirstName* first = first_name(change);
        if (first != nullptr && first->node) return put(change.path, first->node, first->path);
        auto node = std::make_shared<Node>();
        node->kind = kind_of(change.kind);
        Metadata& metadata = node->metadata;
        metadata = *change.metadata;
        for (base::FileTime* time :
             {&metadata.created, &metadata.modified, &metadata.accessed, &metadata.changed}) {
            *time = time_of(*time);
        }
        if (node->kind == NodeKind::File) node->content = host_content(change.content);
        node->link_target = change.link_target;
        node->streams = streams_of(change, nullptr);
        if (first != nullptr) {
            node->hard_links = std::make_shared<const tree::HardLinkGroup>();
            *first = {change.path, node, true};
        }
        if (node->kind == NodeKind::Directory) {
            made_[tree::fold(Os::Windows, change.path)] = metadata.descriptor;
        }
        put(change.path, std::move(node));
    }

    // Directories that were there only while the step ran (for a mount point or a script) were none of its
    // changes; with something new in them they are part of the layer.
    void add_parents(std::string_view path) {
        std::string_view parent = tree::parent_of(path);
        if (parent.empty() || made_.contains(tree::fold(Os::Windows, parent))) return;
        if (lower_node(parent, NodeKind::Directory)) return;
        add_parents(parent);
        hcs::RawChange change;
        change.path = parent;
        change.kind = hcs::RawChange::Kind::Directory;
        change.modified = rules_.started;
        directory(change);
    }

    void directory(const hcs::RawChange& change) {
        NodeRef old = lower_node(change.path, NodeKind::Directory);
        if (old && change.streams.empty()) return;
        auto node = std::make_shared<Node>();
        node->metadata = old ? old->metadata : new_metadata(change, true);
        node->streams = streams_of(change, old);
        made_[tree::fold(Os::Windows, change.path)] = node->metadata.descriptor;
        put(change.path, std::move(node));
    }

    // Whether a link's target lies on no C:, or climbs above its root on the way. Both slashes separate: what
    // the host took for a name is a path in the layer.
    static bool leads_out(const hcs::RawChange& change) {
        constexpr std::string_view kSeparators = "/\\";
        std::string_view rest = change.link_target;
        if (rest.empty() || kSeparators.find(rest[0]) != std::string_view::npos) return true;
        if (rest.substr(0, rest.find_first_of(kSeparators)).find(':') != std::string_view::npos) return true;
        std::size_t depth = tree::split(tree::parent_of(change.path)).size();
        while (!rest.empty()) {
            std::string_view name = rest.substr(0, rest.find_first_of(kSeparators));
            rest.remove_prefix(std::min(name.size() + 1, rest.size()));
            if (name == ".." && depth == 0) return true;
            if (name == "..") --depth;
            if (!name.empty() && name != "." && name != "..") ++depth;
        }
        return false;
    }

    void symlink(const hcs::RawChange& change) {
        if (leads_out(change)) {
            throw fail(ErrorCode::Unsupported, "the step made a link at {} that leads out of C: (to {})",
                       tree::display_path(Os::Windows, tree::printable(change.path)),
                       tree::printable(change.link_target));
        }
        auto node = std::make_shared<Node>();
        node->kind = NodeKind::Symlink;
        node->metadata = new_metadata(change, false);
        node->metadata.attributes = tree::attribute::kReparsePoint;
        node->link_target = change.link_target;
        std::replace(node->link_target.begin(), node->link_target.end(), '/', '\\');
        put(change.path, std::move(node));
    }

    void file(const hcs::RawChange& change) {
        NodeRef old = lower_node(change.path, NodeKind::File);
        FirstName* first = first_name(change);
        if (first != nullptr && first->node) {
            if (!(old && !first->changed && unchanged(change, *old))) {
                put(change.path, first->node, first->path);
            }
            return;
        }
        bool changed = !old || !unchanged(change, *old);
        NodeRef node = changed ? changed_file(change, old) : old;
        if (first != nullptr) *first = {change.path, node, changed};
        if (changed) put(change.path, node);
    }

    bool unchanged(const hcs::RawChange& change, const Node& old) {
        bool read_only = (old.metadata.attributes & tree::attribute::kReadOnly) != 0;
        if (!change.streams.empty() || change.read_only != read_only) return false;
        if (change.size != old.content->size() || change.modified != old.metadata.modified) return false;
        tree::ContentRef now = host_content(change.content);
        return tree::digest_of(*now, contents_, cancel_) == tree::digest_of(*old.content, contents_, cancel_);
    }

    NodeRef changed_file(const hcs::RawChange& change, const NodeRef& old) {
        auto node = std::make_shared<Node>();
        node->kind = NodeKind::File;
        Metadata& metadata = node->metadata;
        if (old) {
            metadata = old->metadata;
            metadata.mode = metadata.uid = metadata.gid = 0;
            metadata.tar_form = 0;
            metadata.attributes &= ~(tree::attribute::kReadOnly | tree::attribute::kNormal);
            metadata.attributes |= tree::attribute::kArchive;
            if (change.modified != metadata.modified) metadata.modified = time_of(change.modified);
            metadata.accessed = metadata.changed = metadata.modified;
        } else {
            metadata = new_metadata(change, false);
        }
        if (change.read_only) metadata.attributes |= tree::attribute::kReadOnly;
        node->content = host_content(change.content);
        node->streams = streams_of(change, old);
        if (change.hard_link_group) node->hard_links = std::make_shared<const tree::HardLinkGroup>();
        return node;
    }

    // Those the object had, and those that were written.
    std::vector<tree::Stream> streams_of(const hcs::RawChange& change, const NodeRef& old) const {
        std::vector<tree::Stream> streams;
        if (old) streams = old->streams;
        for (const hcs::RawStream& raw : change.streams) {
            auto same = [&](const tree::Stream& stream) {
                return tree::names_equal(Os::Windows, stream.name, raw.name);
            };
            auto known = std::find_if(streams.begin(), streams.end(), same);
            if (known != streams.end()) {
                known->content = host_content(raw.content);
            } else {
                streams.push_back({raw.name, host_content(raw.content)});
            }
        }
        return streams;
    }

    const StepRules& rules_;
    tree::ContentProvider& contents_;
    const base::CancelToken& cancel_;
    Descriptors descriptors_;
    std::vector<tree::Change> changes_;
    std::map<std::string, tree::DescriptorRef> made_;  // descriptors of new directories by folded path
    std::map<std::uint64_t, FirstName> first_names_;   // by hard link group
};

// Hives carry no metadata in layers but their times.
tree::Change hive(const hcs::RawChange& change, const StepRules& rules) {
    auto node = std::make_shared<Node>();
    node->kind = NodeKind::File;
    node->metadata.attributes = tree::attribute::kArchive;
    node->metadata.set_times(rules.epoch);
    node->content = host_content(change.content);
    return tree::Upsert{change.path, std::move(node), {}};
}

}  // namespace

tree::Delta delta_of_changes(const hcs::LayerChanges& changes, const StepRules& rules,
                             tree::ContentProvider& contents, const base::CancelToken& cancel) {
    ChangeReader reader(rules, contents, cancel);
    for (const hcs::RawChange& change : changes.files) {
        base::with_context(
            [&] { return fmt::format("reading what the step made of {}", tree::printable(change.path)); },
            [&] { reader.add(change); });
    }
    tree::Delta delta;
    delta.os = Os::Windows;
    delta.changes = reader.take();
    delta.files_root = rules.lower.root()->metadata;
    for (const hcs::RawChange& change : changes.hives) delta.hives.push_back(hive(change, rules));
    tree::canonicalise(delta, rules.lower);
    return delta;
}

}  // namespace mullion::worker
