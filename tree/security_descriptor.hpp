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

// SIDs in their string form "S-1-5-32-544".
struct Ace {
    std::uint8_t type = 0;   // 0 allow, 1 deny
    std::uint8_t flags = 0;  // 1 OI, 2 CI, 4 NP, 8 IO, 0x10 inherited
    std::uint32_t mask = 0;
    std::string sid;
    bool operator==(const Ace&) const = default;
};

struct SecurityDescriptor {
    std::uint16_t control = 0x8004;  // self-relative, DACL present
    std::string owner;
    std::string group;
    std::vector<Ace> dacl;
    bool has_dacl = true;

    // Both throw Invalid/Corrupt on malformed input. SDDL aliases used by Windows layers are known (BA, SY,
    // BU, CO, WD, AU, TrustedInstaller's SID, ...); an unknown one is Invalid.
    static SecurityDescriptor parse_sddl(std::string_view sddl);
    static SecurityDescriptor parse(std::string_view self_relative);

    // Owner at 20, then group, then DACL: the layout Windows itself writes (hcs.md §4.5 has byte-exact
    // examples).
    std::string self_relative() const;
    std::string sddl() const;
};

// The descriptor a new object gets from its parent by Windows' own rule ([MS-DTYP] 2.5.3.4.1
// "CreateSecurityDescriptor" for inherited ACEs: OI/CI propagation, NP, IO, CREATOR OWNER replacement).
// `owner`: SID of the creator.
DescriptorRef inherit_descriptor(const DescriptorRef& parent, bool for_directory, std::string_view owner);

// The two descriptors BuildKit gives files it creates (hcs.md §4.5); what we use where no parent has one.
DescriptorRef default_descriptor(bool for_directory);

// SIDs of the accounts every Windows image has: ContainerAdministrator, ContainerUser, Administrators,
// SYSTEM... nullopt if the name is not a built-in. Case-insensitive.
std::optional<std::string> builtin_sid(std::string_view account);

}  // namespace mullion::tree
