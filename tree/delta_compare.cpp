#include "tree/delta_compare.hpp"

#include <algorithm>

namespace mullion::tree {
namespace {

bool same_descriptor(const DescriptorRef& a, const DescriptorRef& b) {
    return a == b || (a && b && *a == *b);
}

bool same_content(const ContentRef& a, const ContentRef& b) {
    return a == b || (a && b && known_equal(*a, *b));
}

bool same_written(const std::optional<Metadata>& a, const std::optional<Metadata>& b) {
    return a.has_value() == b.has_value() && (!a || (same_metadata(*a, *b) && a->tar_form == b->tar_form));
}

bool same_change(const Change& a, const Change& b) {
    if (a.index() != b.index() || path_of(a) != path_of(b)) return false;
    const auto* first = std::get_if<Upsert>(&a);
    if (first == nullptr) return true;
    const auto& second = std::get<Upsert>(b);
    return first->hard_link == second.hard_link && first->hard_link_form == second.hard_link_form &&
           first->node->metadata.tar_form == second.node->metadata.tar_form &&
           same_object(*first->node, *second.node);
}

bool same_changes(const std::vector<Change>& a, const std::vector<Change>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), same_change);
}

}  // namespace

bool same_metadata(const Metadata& a, const Metadata& b) {
    return a.attributes == b.attributes && same_descriptor(a.descriptor, b.descriptor) &&
           a.extended_attributes == b.extended_attributes && a.created == b.created &&
           a.modified == b.modified && a.accessed == b.accessed && a.changed == b.changed &&
           a.mode == b.mode && a.uid == b.uid && a.gid == b.gid;
}

bool same_object(const Node& a, const Node& b) {
    auto same_stream = [](const Stream& s, const Stream& t) {
        return s.name == t.name && same_content(s.content, t.content);
    };
    return a.kind == b.kind && same_metadata(a.metadata, b.metadata) && same_content(a.content, b.content) &&
           a.link_target == b.link_target &&
           std::equal(a.streams.begin(), a.streams.end(), b.streams.begin(), b.streams.end(), same_stream);
}

bool same_delta(const Delta& a, const Delta& b) {
    return a.os == b.os && a.files_first == b.files_first && a.omit_hives == b.omit_hives &&
           same_written(a.files_root, b.files_root) && same_written(a.hives_root, b.hives_root) &&
           same_written(a.utility_vm_root, b.utility_vm_root) && same_changes(a.changes, b.changes) &&
           same_changes(a.hives, b.hives) && same_changes(a.utility_vm, b.utility_vm);
}

}  // namespace mullion::tree
