// What a build wants to know from an image's registry: the machine's PATH, and the SIDs of accounts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tree/delta.hpp"
#include "tree/hive_stack.hpp"

namespace mullion::tree {

// The hives of HKEY_LOCAL_MACHINE and the default user's.
enum class HiveName { System, Software, Sam, Security, Default };

// "Windows/System32/config/SYSTEM": where a base layer has it.
std::string hive_path(HiveName hive);
// Which of them lies at this path below C:, if one does.
std::optional<HiveName> hive_at_path(std::string_view path);
// "System_Delta": what other layers have in their Hives folder (hcs.md §4.1).
std::string_view delta_name(HiveName hive);
std::optional<HiveName> hive_of_delta(std::string_view name);
// The hive file that `layer` has: the base layer's own, of others the differencing one. Null if none.
NodeRef hive_in_layer(const Delta& layer, bool is_base_layer, HiveName hive);

// The PATH that processes of the machine start with: the variable of the current control set's "Session
// Manager\Environment", with the %NAMES% of a REG_EXPAND_SZ replaced as Windows does at boot: by the other
// variables of that key, and by those that every installation on C: has (SystemRoot, SystemDrive,
// ProgramFiles...). A %NAME% that is neither stays as it is. nullopt if the hive has no such variable. What
// the accounts' own hives add is no part of it.
std::optional<std::string> machine_path(const HiveStack& system);

// The SID of a user, a group or an alias of the image's own account database (SAM), such as `net user /add`
// makes. `name` may have "NAME\" of the machine or "BUILTIN\" before it; case-insensitive. nullopt if there
// is none. Throws Corrupt where the database contradicts itself.
std::optional<std::string> account_sid(const HiveStack& sam, std::string_view name);

}  // namespace mullion::tree
