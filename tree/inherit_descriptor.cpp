#include "base/error.hpp"
#include "tree/security_descriptor.hpp"
#include "tree/sid.hpp"

namespace mullion::tree {
namespace {

constexpr std::uint8_t kInheritFlags = ace_flag::kObjectInherit | ace_flag::kContainerInherit;
constexpr std::uint32_t kGenericMask = 0xf0000000;
constexpr std::uint32_t kFullControl = 0x1f01ff;

// Generic rights as files understand them ([MS-DTYP] 2.5.3 GenericMapping; winnt.h FILE_GENERIC_*).
std::uint32_t map_generic(std::uint32_t mask) {
    std::uint32_t mapped = mask & ~kGenericMask;
    if ((mask & 0x80000000) != 0) mapped |= 0x120089;  // read
    if ((mask & 0x40000000) != 0) mapped |= 0x120116;  // write
    if ((mask & 0x20000000) != 0) mapped |= 0x1200a0;  // execute
    if ((mask & 0x10000000) != 0) mapped |= kFullControl;
    return mapped;
}

// Who creates the object.
struct Creator {
    std::string owner;
    std::string group;
};

// The ACE as it counts for the new object itself.
Ace effective(const Ace& ace, const Creator& creator) {
    Ace own = ace;
    own.mask = map_generic(ace.mask);
    if (ace.sid == sid::kCreatorOwner) own.sid = creator.owner;
    if (ace.sid == sid::kCreatorGroup) own.sid = creator.group;
    return own;
}

// An ACE for files below becomes a file's own; nothing else reaches a file.
void inherit_by_file(const Ace& ace, const Creator& creator, std::vector<Ace>& out) {
    if ((ace.flags & ace_flag::kObjectInherit) == 0) return;
    Ace own = effective(ace, creator);
    own.flags = ace_flag::kInherited;
    out.push_back(std::move(own));
}

void inherit_by_directory(const Ace& ace, const Creator& creator, std::vector<Ace>& out) {
    bool propagates = (ace.flags & ace_flag::kNoPropagate) == 0;
    auto passed_on = static_cast<std::uint8_t>(propagates ? ace.flags & kInheritFlags : 0);
    if ((ace.flags & ace_flag::kContainerInherit) != 0) {
        Ace own = effective(ace, creator);
        bool resolved = own != ace;
        // What resolving changed must reach the next level unresolved, in an ACE of its own.
        own.flags = static_cast<std::uint8_t>(ace_flag::kInherited | (resolved ? 0 : passed_on));
        out.push_back(std::move(own));
        if (!resolved || passed_on == 0) return;
    }
    if (passed_on == 0) return;
    Ace next = ace;
    next.flags = static_cast<std::uint8_t>(passed_on | ace_flag::kInheritOnly | ace_flag::kInherited);
    out.push_back(std::move(next));
}

std::vector<Ace> inherited_aces(const std::vector<Ace>& parent, bool for_directory, const Creator& creator) {
    std::vector<Ace> aces;
    for (const Ace& ace : parent) {
        if (for_directory) {
            inherit_by_directory(ace, creator, aces);
        } else {
            inherit_by_file(ace, creator, aces);
        }
    }
    return aces;
}

DescriptorRef shared(const SecurityDescriptor& descriptor) {
    return std::make_shared<const std::string>(descriptor.self_relative());
}

}  // namespace

DescriptorRef inherit_descriptor(const DescriptorRef& parent, bool for_directory, std::string_view owner) {
    if (parent == nullptr) {
        DescriptorRef plain = default_descriptor(for_directory);
        if (owner == sid::kAdministrators) return plain;
        SecurityDescriptor descriptor = SecurityDescriptor::parse(*plain);
        descriptor.owner = owner;
        return shared(descriptor);
    }
    SecurityDescriptor from = SecurityDescriptor::parse(*parent);
    SecurityDescriptor descriptor;
    descriptor.owner = owner;
    descriptor.group = sid::kSystem;
    descriptor.dacl_revision = from.dacl_revision;
    descriptor.dacl = inherited_aces(from.dacl, for_directory, {descriptor.owner, descriptor.group});
    if (!descriptor.dacl.empty()) {
        descriptor.control |= sd_control::kDaclAutoInherited;
    } else {
        descriptor.dacl_revision = 2;
        descriptor.dacl.push_back({ace_type::kAllow, 0, kFullControl, descriptor.owner});
        descriptor.dacl.push_back({ace_type::kAllow, 0, kFullControl, std::string(sid::kSystem)});
    }
    return shared(descriptor);
}

DescriptorRef default_descriptor(bool for_directory) {
    static const DescriptorRef directory =
        shared(SecurityDescriptor::parse_sddl("O:BAG:SYD:(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;;FA;;;BA)"
                                              "(A;OICIIO;GA;;;CO)(A;OICI;0x1200a9;;;BU)(A;CI;LC;;;BU)"
                                              "(A;CI;DC;;;BU)"));
    static const DescriptorRef file =
        shared(SecurityDescriptor::parse_sddl("O:BAG:SYD:(A;;FA;;;BA)(A;;FA;;;SY)(A;;0x1200a9;;;BU)"));
    return for_directory ? directory : file;
}

}  // namespace mullion::tree
