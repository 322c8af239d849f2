#include "tree/layer_form.hpp"

#include <fmt/format.h>

namespace mullion::tree {

std::string_view section_name(Section section) {
    switch (section) {
        case Section::Files:
            return "Files";
        case Section::Hives:
            return "Hives";
        case Section::UtilityVm:
            return "UtilityVM";
    }
    return {};
}

std::optional<SectionPath> section_path(std::string_view name) {
    for (Section section : kSections) {
        std::string_view folder = section_name(section);
        if (!name.starts_with(folder)) continue;
        if (name.size() == folder.size()) return SectionPath{section, {}};
        if (name[folder.size()] == '/') return SectionPath{section, name.substr(folder.size() + 1)};
    }
    return std::nullopt;
}

std::uint16_t own_form(Os os, TarType type) {
    using namespace tar_form;
    if (os == Os::Linux) return type == TarType::Directory ? kTrailingSlash : 0;
    constexpr std::uint16_t kRecords = kAccessTime | kChangeTime | kCreationTime | kAttributes;
    return type == TarType::HardLink ? kRecords | kLinkMode : kRecords | kTypeBits;
}

NodeRef as_own_entry(const NodeRef& node) {
    NodeRef bare = without_children(node);
    if (bare->metadata.tar_form == 0) return bare;
    auto own = std::make_shared<Node>(*bare);
    own->metadata.tar_form = 0;
    return own;
}

std::string unpadded_time(PaxTime time) {
    return fmt::format("{}.{}", time.seconds, time.nanoseconds);
}

TarType tar_type(const Node& node) {
    switch (node.kind) {
        case NodeKind::Directory:
            return TarType::Directory;
        case NodeKind::File:
            return TarType::File;
        case NodeKind::Symlink:
        case NodeKind::Junction:
            break;
    }
    return TarType::Symlink;
}

std::uint32_t mode_type_bits(TarType type, std::uint32_t attributes) {
    switch (type) {
        case TarType::Directory:
            return kModeDirectory;
        case TarType::File:
            return kModeFile;
        case TarType::Symlink:
            // Go-winio sets the link's bits over those of a directory.
            return kModeSymlink | ((attributes & attribute::kDirectory) != 0 ? kModeDirectory : 0);
        default:
            return 0;
    }
}

std::uint32_t written_attributes(const Node& node) {
    std::uint32_t recorded = node.metadata.attributes;
    switch (node.kind) {
        case NodeKind::Directory:
            return recorded | attribute::kDirectory;
        case NodeKind::File:
            return recorded == 0 ? attribute::kArchive : recorded & ~attribute::kDirectory;
        case NodeKind::Symlink:
            return recorded == 0 ? attribute::kReparsePoint | attribute::kArchive : recorded;
        case NodeKind::Junction:
            return recorded == 0 ? attribute::kReparsePoint | attribute::kDirectory : recorded;
    }
    return recorded;
}

}  // namespace mullion::tree
