// Windows security descriptors ([MS-DTYP] 2.4.6) as far as layers need them: SDDL to bytes and back, and
// inheritance.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tree/metadata.hpp"

namespace mullion::tree {

namespace ace_type {
constexpr std::uint8_t kAllow = 0;
constexpr std::uint8_t kDeny = 1;
constexpr std::uint8_t kAllowCallback = 9;
constexpr std::uint8_t kDenyCallback = 10;
}  // namespace ace_type

namespace ace_flag {
constexpr std::uint8_t kObjectInherit = 1;
constexpr std::uint8_t kContainerInherit = 2;
constexpr std::uint8_t kNoPropagate = 4;
constexpr std::uint8_t kInheritOnly = 8;
constexpr std::uint8_t kInherited = 0x10;
}  // namespace ace_flag

namespace sd_control {
constexpr std::uint16_t kDaclPresent = 0x0004;
constexpr std::uint16_t kSaclPresent = 0x0010;
constexpr std::uint16_t kDaclAutoInheritRequired = 0x0100;
constexpr std::uint16_t kDaclAutoInherited = 0x0400;
constexpr std::uint16_t kDaclProtected = 0x1000;
constexpr std::uint16_t kSelfRelative = 0x8000;
}  // namespace sd_control

// SIDs in their string form "S-1-5-32-544".
struct Ace {
    std::uint8_t type = ace_type::kAllow;
    std::uint8_t flags = 0;
    std::uint32_t mask = 0;
    std::string sid;
    // What follows the SID (the condition of a callback ACE). For other types the whole body, uninterpreted:
    // mask and sid are then unset.
    std::string data = {};
    bool operator==(const Ace&) const = default;
};

struct SecurityDescriptor {
    std::uint16_t control = sd_control::kSelfRelative | sd_control::kDaclPresent;
    std::string owner;  // empty: none
    std::string group;
    std::vector<Ace> dacl;
    // False with kDaclPresent set: a NULL DACL, which grants everything.
    bool has_dacl = true;
    std::uint8_t dacl_revision = 2;
    // The system ACL's bytes, carried but not interpreted.
    std::string sacl;
    bool operator==(const SecurityDescriptor&) const = default;

    // Throws Invalid for malformed text, for aliases that need a domain or are unknown, and Unsupported for a
    // SACL or ACE types other than allow and deny.
    static SecurityDescriptor parse_sddl(std::string_view sddl);
    // Throws Corrupt for malformed bytes.
    static SecurityDescriptor parse(std::string_view self_relative);

    // Owner at 20, then group, SACL, DACL: the layout Windows itself makes from SDDL (hcs.md §4.5 has
    // byte-exact examples). Throws Invalid for SIDs that are none and ACLs over 64 KiB.
    std::string self_relative() const;
    // Throws Unsupported for what parse_sddl does not read.
    std::string sddl() const;
};

// The descriptor a new object gets from its parent by Windows' own rule ([MS-DTYP] 2.5.3.4, "Algorithm for
// Creating a Security Descriptor"): inheritable ACEs become the object's own, marked inherited; those of
// creator owner and with generic rights are resolved, and kept for the next level by a directory. Where the
// parent passes nothing on: full control for the owner and SYSTEM, a token's default. Where there is no
// parent descriptor: default_descriptor. `owner`: SID of the creator; the group is SYSTEM's, as in
// default_descriptor. Throws Corrupt if the parent's bytes are malformed.
DescriptorRef inherit_descriptor(const DescriptorRef& parent, bool for_directory, std::string_view owner);

// The two descriptors BuildKit gives files it creates (hcs.md §4.5); what we use where no parent has one.
DescriptorRef default_descriptor(bool for_directory);

// SIDs of the accounts every Windows image has: ContainerAdministrator, ContainerUser, Administrators,
// SYSTEM..., also with their authority ("BUILTIN\Users"). nullopt if the name is not a built-in.
// Case-insensitive.
std::optional<std::string> builtin_sid(std::string_view account);

}  // namespace mullion::tree
