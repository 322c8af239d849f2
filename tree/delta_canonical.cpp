#include <algorithm>
#include <map>

#include "base/error.hpp"
#include "tree/delta.hpp"
#include "tree/delta_links.hpp"
#include "tree/layer_form.hpp"
#include "tree/name.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

// What the changes say about one name, in the shape of a directory tree.
struct Entry {
    std::string name;
    bool removed = false;  // what lower has here goes, before `upsert` counts
    std::optional<Upsert> upsert;
    std::map<std::string, Entry> children;  // by folded name

    bool is_directory() const { return upsert && upsert->node->kind == NodeKind::Directory; }
};

bool upserts_below(const Entry& entry) {
    return std::any_of(entry.children.begin(), entry.children.end(),
                       [](const auto& child) { return child.second.upsert || upserts_below(child.second); });
}

// Sorts one list of changes. `lower` is null where no lower tree is known.
class Canonicaliser {
  public:
    Canonicaliser(Os os, const Node* lower) : os_(os), lower_(lower) {}

    std::vector<Change> run(const std::vector<Change>& changes) {
        for (const Change& change : changes) add(change);
        children("", root_, lower_, false);
        return std::move(sorted_);
    }

  private:
    [[noreturn]] void invalid(std::string_view path, std::string_view why) const {
        throw fail(ErrorCode::Invalid, "{}: {}", display_path(os_, printable(path)), why);
    }

    void add(const Change& change) {
        const std::string& path = path_of(change);
        Entry& entry = entry_at(path);
        if (std::holds_alternative<Removal>(change)) {
            entry.removed = true;
            entry.upsert.reset();
            entry.children.clear();
            return;
        }
        const auto& upsert = std::get<Upsert>(change);
        std::string_view name = base_name(path);
        if (entry.upsert && entry.name != name) {
            invalid(path, fmt::format("differs from \"{}\" only by case", printable(entry.name)));
        }
        entry.name = name;
        entry.upsert = upsert;
        if (entry.is_directory()) return;
        entry.removed = true;
        entry.children.clear();
    }

    Entry& entry_at(const std::string& path) {
        std::vector<std::string_view> elements = split(path);
        if (elements.empty()) throw fail(ErrorCode::Invalid, "the root is no entry of a layer");
        if (elements.size() > kMaxDepth) {
            invalid(path.substr(0, 200), fmt::format("has more than {} elements", kMaxDepth));
        }
        Entry* entry = &root_;
        for (std::string_view name : elements) {
            if (auto problem = name_problem(os_, name)) {
                invalid(path, fmt::format("\"{}\" {}", printable(name), *problem));
            }
            entry = &entry->children[fold(os_, name)];
            if (entry->name.empty()) entry->name = name;
        }
        return *entry;
    }

    // The whiteouts and children of a directory. `lower`: what lower has there; `anew`: none of it may stay.
    void children(const std::string& path, const Entry& directory, const Node* lower, bool anew) {
        if (lower_ == nullptr) {
            unchecked_whiteouts(path, directory);
        } else if (lower != nullptr && lower->kind == NodeKind::Directory) {
            whiteouts(path, directory, *lower, anew);
        }
        for (const auto& [folded, entry] : directory.children) {
            const Child* old = lower == nullptr ? nullptr : find_child(os_, *lower, entry.name);
            object(join(path, old == nullptr ? entry.name : old->name), entry,
                   old == nullptr ? nullptr : &old->node, anew || entry.removed);
        }
    }

    void unchecked_whiteouts(const std::string& path, const Entry& directory) {
        for (const auto& [folded, entry] : directory.children) {
            if (entry.removed && !entry.upsert) sorted_.push_back(Removal{join(path, entry.name)});
        }
    }

    void whiteouts(const std::string& path, const Entry& directory, const Node& lower, bool anew) {
        for (const Child& child : lower.children) {
            auto entry = directory.children.find(fold(os_, child.name));
            bool named = entry != directory.children.end();
            bool stays = named ? entry->second.upsert || !(anew || entry->second.removed) : !anew;
            if (!stays) sorted_.push_back(Removal{join(path, child.name)});
        }
    }

    // `old`: lower's node of that name, or null; `anew`: it does not count.
    void object(const std::string& path, const Entry& entry, const NodeRef* old, bool anew) {
        bool onto_directory = old != nullptr && (*old)->kind == NodeKind::Directory;
        if (entry.upsert) {
            upsert(path, *entry.upsert);
            if (!entry.is_directory()) {
                if (upserts_below(entry)) invalid(path, "has entries below it but is not a directory");
                return;
            }
        } else {
            // Removals below what is not there say nothing.
            if (entry.children.empty() || (!upserts_below(entry) && (!onto_directory || anew))) return;
            if (!onto_directory || anew) invalid(path, "is a parent in the layer but not a directory");
            upsert(path, Upsert{path, *old, {}});
        }
        std::size_t before = sorted_.size();
        children(path, entry, onto_directory ? old->get() : nullptr, anew);
        if (!entry.upsert && sorted_.size() == before) sorted_.pop_back();
    }

    void upsert(const std::string& path, Upsert entry) {
        if (entry.node == nullptr) throw fail(ErrorCode::Internal, "an upsert without a node");
        entry.path = path;
        entry.node = as_own_entry(entry.node);
        entry.hard_link_form = 0;
        sorted_.push_back(std::move(entry));
    }

    Os os_;
    const Node* lower_;
    Entry root_;
    std::vector<Change> sorted_;
};

}  // namespace

void canonicalise(Delta& delta, const Tree& lower) {
    if (lower.os() != delta.os) throw fail(ErrorCode::Invalid, "a layer of another operating system");
    for (std::optional<Metadata>* root : {&delta.files_root, &delta.hives_root, &delta.utility_vm_root}) {
        if (*root) (*root)->tar_form = 0;
    }
    delta.changes = Canonicaliser(delta.os, lower.root().get()).run(delta.changes);
    canonicalise_links(delta.changes, &lower, delta.os);
    for (std::vector<Change>* list : {&delta.hives, &delta.utility_vm}) {
        *list = Canonicaliser(delta.os, nullptr).run(*list);
        canonicalise_links(*list, nullptr, delta.os);
    }
}

}  // namespace mullion::tree
