#include "tree/delta.hpp"

#include "base/error.hpp"
#include "tree/name.hpp"

namespace mullion::tree {

using base::ErrorCode;
using base::fail;

const std::string& path_of(const Change& change) {
    return std::visit([](const auto& entry) -> const std::string& { return entry.path; }, change);
}

namespace {

// Makes `path` another name of the file at `target`, which gets a group if it has none yet.
void apply_hard_link(TreeEditor& editor, Os os, const std::string& path, const std::string& target) {
    NodeRef file = editor.find(target);
    if (!file || file->kind != NodeKind::File) {
        throw fail(ErrorCode::Invalid, "{} is a hard link to {}, which is not a file",
                   display_path(os, printable(path)), display_path(os, printable(target)));
    }
    if (!file->hard_links) {
        auto named_twice = std::make_shared<Node>(*file);
        named_twice->hard_links = std::make_shared<const HardLinkGroup>();
        file = std::move(named_twice);
        editor.put(target, file);
    }
    editor.put(path, file);
}

void apply_change(TreeEditor& editor, Os os, const Change& change) {
    if (const auto* removal = std::get_if<Removal>(&change)) return editor.remove(removal->path);
    const auto& upsert = std::get<Upsert>(change);
    if (upsert.hard_link) return apply_hard_link(editor, os, upsert.path, *upsert.hard_link);
    editor.put(upsert.path, upsert.node);
}

}  // namespace

Tree apply(const Tree& lower, const Delta& delta) {
    if (lower.os() != delta.os) throw fail(ErrorCode::Invalid, "a layer of another operating system");
    TreeEditor editor(lower);
    if (delta.files_root) {
        Node root;
        root.metadata = *delta.files_root;
        // No descriptor means "inherited", and there is nobody to inherit from: the root's own stays.
        if (!root.metadata.descriptor) root.metadata.descriptor = lower.root()->metadata.descriptor;
        editor.put("", std::move(root));
    }
    for (const Change& change : delta.changes) {
        try {
            apply_change(editor, delta.os, change);
        } catch (const base::Error& error) {
            if (error.code() != ErrorCode::NotFound) throw;
            throw fail(ErrorCode::Invalid, "{}", error.what());
        }
    }
    return editor.finish();
}

}  // namespace mullion::tree
