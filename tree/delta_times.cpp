#include "tree/delta_times.hpp"

#include <algorithm>

#include "tree/delta_compare.hpp"

namespace mullion::tree {
namespace {

void stamp(Metadata& metadata, Os os, base::FileTime time) {
    metadata.set_times(time);
    metadata.tar_form = 0;
    // In a Windows image these only say what the tar that held the directory looked like.
    if (os == Os::Windows) metadata.mode = metadata.uid = metadata.gid = 0;
}

void clamp(Metadata& metadata, base::FileTime latest) {
    for (base::FileTime* time :
         {&metadata.created, &metadata.modified, &metadata.accessed, &metadata.changed}) {
        *time = std::min(*time, latest);
    }
}

void clamp(std::vector<Change>& changes, base::FileTime latest) {
    for (Change& change : changes) {
        auto* upsert = std::get_if<Upsert>(&change);
        if (upsert == nullptr) continue;
        auto node = std::make_shared<Node>(*upsert->node);
        clamp(node->metadata, latest);
        upsert->node = std::move(node);
    }
}

}  // namespace

void stamp_repeated_parents(Delta& delta, const Tree& lower, base::FileTime time) {
    if (delta.files_root && same_metadata(*delta.files_root, lower.root()->metadata)) {
        stamp(*delta.files_root, delta.os, time);
    }
    for (Change& change : delta.changes) {
        auto* upsert = std::get_if<Upsert>(&change);
        if (upsert == nullptr || upsert->node->kind != NodeKind::Directory) continue;
        NodeRef old = lower.find(upsert->path);
        if (!old || !same_object(*old, *upsert->node)) continue;
        auto node = std::make_shared<Node>(*upsert->node);
        stamp(node->metadata, delta.os, time);
        upsert->node = std::move(node);
    }
}

Delta clamp_times(const Delta& delta, base::FileTime latest) {
    Delta clamped = delta;
    for (std::vector<Change>* changes : {&clamped.changes, &clamped.hives, &clamped.utility_vm}) {
        clamp(*changes, latest);
    }
    for (std::optional<Metadata>* root :
         {&clamped.files_root, &clamped.hives_root, &clamped.utility_vm_root}) {
        if (*root) clamp(**root, latest);
    }
    return clamped;
}

}  // namespace mullion::tree
