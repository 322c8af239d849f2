#include "tree/sid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "tree/security_descriptor.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxSubAuthorities = 15;
constexpr std::uint64_t kMaxAuthority = (std::uint64_t{1} << 48) - 1;

using Pair = std::pair<std::string_view, std::string_view>;

// Where two aliases mean one SID, the first is the one we print.
constexpr std::array kAliases{
    Pair{"BA", sid::kAdministrators},
    Pair{"SY", sid::kSystem},
    Pair{"BU", sid::kUsers},
    Pair{"CO", sid::kCreatorOwner},
    Pair{"CG", sid::kCreatorGroup},
    Pair{"WD", sid::kEveryone},
    Pair{"AU", "S-1-5-11"},
    Pair{"BG", "S-1-5-32-546"},
    Pair{"PU", "S-1-5-32-547"},
    Pair{"AO", "S-1-5-32-548"},
    Pair{"SO", "S-1-5-32-549"},
    Pair{"PO", "S-1-5-32-550"},
    Pair{"BO", "S-1-5-32-551"},
    Pair{"RE", "S-1-5-32-552"},
    Pair{"RU", "S-1-5-32-554"},
    Pair{"RD", "S-1-5-32-555"},
    Pair{"NO", "S-1-5-32-556"},
    Pair{"MU", "S-1-5-32-558"},
    Pair{"LU", "S-1-5-32-559"},
    Pair{"IS", "S-1-5-32-568"},
    Pair{"CY", "S-1-5-32-569"},
    Pair{"ER", "S-1-5-32-573"},
    Pair{"CD", "S-1-5-32-574"},
    Pair{"RA", "S-1-5-32-575"},
    Pair{"ES", "S-1-5-32-576"},
    Pair{"MS", "S-1-5-32-577"},
    Pair{"HA", "S-1-5-32-578"},
    Pair{"AA", "S-1-5-32-579"},
    Pair{"RM", "S-1-5-32-580"},
    Pair{"LS", "S-1-5-19"},
    Pair{"NS", "S-1-5-20"},
    Pair{"NU", "S-1-5-2"},
    Pair{"IU", "S-1-5-4"},
    Pair{"SU", "S-1-5-6"},
    Pair{"AN", "S-1-5-7"},
    Pair{"ED", "S-1-5-9"},
    Pair{"PS", "S-1-5-10"},
    Pair{"RC", "S-1-5-12"},
    Pair{"WR", "S-1-5-33"},
    Pair{"OW", "S-1-3-4"},
    Pair{"AC", "S-1-15-2-1"},
    Pair{"AS", "S-1-18-1"},
    Pair{"SS", "S-1-18-2"},
    Pair{"UD", "S-1-5-84-0-0-0-0-0"},
    Pair{"LW", "S-1-16-4096"},
    Pair{"ME", "S-1-16-8192"},
    Pair{"MP", "S-1-16-8448"},
    Pair{"HI", "S-1-16-12288"},
    Pair{"SI", "S-1-16-16384"},
};

constexpr std::array kAccounts{
    Pair{"CONTAINERADMINISTRATOR", sid::kContainerAdministrator},
    Pair{"CONTAINERUSER", sid::kContainerUser},
    Pair{"ADMINISTRATORS", sid::kAdministrators},
    Pair{"USERS", sid::kUsers},
    Pair{"GUESTS", "S-1-5-32-546"},
    Pair{"SYSTEM", sid::kSystem},
    Pair{"LOCAL SERVICE", "S-1-5-19"},
    Pair{"NETWORK SERVICE", "S-1-5-20"},
    Pair{"AUTHENTICATED USERS", "S-1-5-11"},
    Pair{"INTERACTIVE", "S-1-5-4"},
    Pair{"EVERYONE", sid::kEveryone},
    Pair{"CREATOR OWNER", sid::kCreatorOwner},
    Pair{"CREATOR GROUP", sid::kCreatorGroup},
    Pair{"TRUSTEDINSTALLER", sid::kTrustedInstaller},
};

constexpr std::array<std::string_view, 4> kAuthorities{"BUILTIN", "NT AUTHORITY", "NT SERVICE",
                                                       "USER MANAGER"};

[[noreturn]] void bad(std::string_view text) {
    throw fail(ErrorCode::Invalid, "\"{}\" is not a SID", printable(text.substr(0, 200)));
}

// Takes the number before the next '-' off `rest`.
std::uint64_t take_number(std::string_view whole, std::string_view& rest, std::uint64_t limit) {
    std::string_view part = rest.substr(0, std::min(rest.find('-'), rest.size()));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    int base = part.starts_with("0x") || part.starts_with("0X") ? 16 : 10;
    if (base == 16) part.remove_prefix(2);
    std::uint64_t value = 0;
    auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value, base);
    if (part.empty() || error != std::errc{} || end != part.data() + part.size() || value > limit) bad(whole);
    return value;
}

}  // namespace

void append_sid(std::string& out, std::string_view text) {
    if (!text.starts_with("S-1-") || text.ends_with('-')) bad(text);
    std::string_view rest = text.substr(4);
    std::uint64_t authority = take_number(text, rest, kMaxAuthority);
    std::string subs;
    std::size_t count = 0;
    for (; !rest.empty(); ++count) {
        std::uint64_t value = take_number(text, rest, 0xffffffff);
        for (int shift = 0; shift < 32; shift += 8) subs += static_cast<char>(value >> shift & 0xff);
    }
    if (count > kMaxSubAuthorities) bad(text);
    out += '\1';
    out += static_cast<char>(count);
    for (int shift = 40; shift >= 0; shift -= 8) out += static_cast<char>(authority >> shift & 0xff);
    out += subs;
}

ParsedSid parse_sid(std::string_view bytes) {
    auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    std::size_t count = bytes.size() < 8 ? 0 : byte(1);
    std::size_t size = 8 + 4 * count;
    if (bytes.size() < size || byte(0) != 1 || count > kMaxSubAuthorities) {
        throw fail(ErrorCode::Corrupt, "a security descriptor holds a malformed SID");
    }
    std::uint64_t authority = 0;
    for (std::size_t i = 2; i < 8; ++i) authority = authority << 8 | byte(i);
    // [MS-DTYP] 2.4.2.1: decimal below 2^32, else hexadecimal.
    std::string text =
        authority >> 32 == 0 ? fmt::format("S-1-{}", authority) : fmt::format("S-1-0x{:012x}", authority);
    for (std::size_t at = 8; at < size; at += 4) {
        std::uint32_t sub = 0;
        for (std::size_t i = 4; i > 0; --i) sub = sub << 8 | byte(at + i - 1);
        fmt::format_to(std::back_inserter(text), "-{}", sub);
    }
    return {text, size};
}

std::optional<std::string_view> sid_of_alias(std::string_view alias) {
    for (const auto& [name, value] : kAliases) {
        if (name == alias) return value;
    }
    return std::nullopt;
}

std::optional<std::string_view> alias_of_sid(std::string_view text) {
    for (const auto& [name, value] : kAliases) {
        if (value == text) return name;
    }
    return std::nullopt;
}

std::optional<std::string> builtin_sid(std::string_view account) {
    if (std::size_t slash = account.find('\\'); slash != std::string_view::npos) {
        std::string authority = fold(Os::Windows, account.substr(0, slash));
        if (std::find(kAuthorities.begin(), kAuthorities.end(), authority) == kAuthorities.end()) {
            return std::nullopt;
        }
        account.remove_prefix(slash + 1);
    }
    std::string folded = fold(Os::Windows, account);
    for (const auto& [name, value] : kAccounts) {
        if (name == folded) return std::string(value);
    }
    return std::nullopt;
}

}  // namespace mullion::tree
