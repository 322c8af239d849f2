// Security identifiers: string form ("S-1-5-32-544", upper-case S, decimal), binary form ([MS-DTYP] 2.4.2)
// and the two-letter aliases of SDDL ([MS-DTYP] 2.5.1.1).
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace mullion::tree {

// Appends the binary form. Throws Invalid for text that is no SID.
void append_sid(std::string& out, std::string_view sid);

// The SID at the start of `bytes`; its binary form has `size` bytes. Throws Corrupt.
struct ParsedSid {
    std::string text;
    std::size_t size = 0;
};
ParsedSid parse_sid(std::string_view bytes);

// "BA" -> "S-1-5-32-544". nullopt for aliases that need a domain (DA, LA, ...) and unknown ones.
std::optional<std::string_view> sid_of_alias(std::string_view alias);
// "S-1-5-32-544" -> "BA".
std::optional<std::string_view> alias_of_sid(std::string_view sid);

namespace sid {
constexpr std::string_view kEveryone = "S-1-1-0";
constexpr std::string_view kCreatorOwner = "S-1-3-0";
constexpr std::string_view kCreatorGroup = "S-1-3-1";
constexpr std::string_view kSystem = "S-1-5-18";
constexpr std::string_view kAdministrators = "S-1-5-32-544";
constexpr std::string_view kUsers = "S-1-5-32-545";
constexpr std::string_view kContainerAdministrator = "S-1-5-93-2-1";
constexpr std::string_view kContainerUser = "S-1-5-93-2-2";
constexpr std::string_view kTrustedInstaller =
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
}  // namespace sid

}  // namespace mullion::tree
