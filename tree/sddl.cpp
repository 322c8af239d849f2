// The Security Descriptor Definition Language ([MS-DTYP] 2.5.1).
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <utility>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "tree/security_descriptor.hpp"
#include "tree/sid.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxSddl = 256 * 1024;
constexpr std::string_view kNullAcl = "NO_ACCESS_CONTROL";

template <typename Value>
using Named = std::pair<std::string_view, Value>;

constexpr std::array kAceFlags{
    Named<std::uint32_t>{"OI", ace_flag::kObjectInherit},
    Named<std::uint32_t>{"CI", ace_flag::kContainerInherit},
    Named<std::uint32_t>{"NP", ace_flag::kNoPropagate},
    Named<std::uint32_t>{"IO", ace_flag::kInheritOnly},
    Named<std::uint32_t>{"ID", ace_flag::kInherited},
};

// Rights that are one bit each, in the order Windows prints them.
constexpr std::array kSingleRights{
    Named<std::uint32_t>{"GA", 0x10000000}, Named<std::uint32_t>{"GR", 0x80000000},
    Named<std::uint32_t>{"GW", 0x40000000}, Named<std::uint32_t>{"GX", 0x20000000},
    Named<std::uint32_t>{"CC", 0x1},        Named<std::uint32_t>{"DC", 0x2},
    Named<std::uint32_t>{"LC", 0x4},        Named<std::uint32_t>{"SW", 0x8},
    Named<std::uint32_t>{"RP", 0x10},       Named<std::uint32_t>{"WP", 0x20},
    Named<std::uint32_t>{"DT", 0x40},       Named<std::uint32_t>{"LO", 0x80},
    Named<std::uint32_t>{"CR", 0x100},      Named<std::uint32_t>{"SD", 0x10000},
    Named<std::uint32_t>{"RC", 0x20000},    Named<std::uint32_t>{"WD", 0x40000},
    Named<std::uint32_t>{"WO", 0x80000},
};

// Rights that stand for a whole mask. The file ones come first: they are the ones printed.
constexpr std::array kWholeRights{
    Named<std::uint32_t>{"FA", 0x1f01ff}, Named<std::uint32_t>{"FR", 0x120089},
    Named<std::uint32_t>{"FW", 0x120116}, Named<std::uint32_t>{"FX", 0x1200a0},
    Named<std::uint32_t>{"KA", 0xf003f},  Named<std::uint32_t>{"KR", 0x20019},
    Named<std::uint32_t>{"KW", 0x20006},  Named<std::uint32_t>{"KX", 0x20019},
};
constexpr std::size_t kFileRights = 4;

[[noreturn]] void bad(std::string_view what, std::string_view text) {
    throw fail(ErrorCode::Invalid, "SDDL: {} \"{}\"", what, printable(text.substr(0, 200)));
}

template <typename Table>
std::optional<std::uint32_t> find_name(const Table& table, std::string_view name) {
    for (const auto& [known, value] : table) {
        if (known == name) return value;
    }
    return std::nullopt;
}

std::string parse_sddl_sid(std::string_view text) {
    if (auto sid = sid_of_alias(text)) return std::string(*sid);
    if (!text.starts_with("S-")) bad("unknown or domain-relative account", text);
    std::string binary;
    append_sid(binary, text);
    return parse_sid(binary).text;
}

std::uint8_t parse_ace_flags(std::string_view text) {
    std::uint8_t flags = 0;
    if (text.size() % 2 != 0) bad("unknown ACE flags", text);
    for (std::size_t at = 0; at < text.size(); at += 2) {
        auto flag = find_name(kAceFlags, text.substr(at, 2));
        if (!flag) bad("unknown ACE flag", text.substr(at, 2));
        flags |= static_cast<std::uint8_t>(*flag);
    }
    return flags;
}

std::uint32_t parse_rights(std::string_view text) {
    std::uint32_t mask = 0;
    if (!text.empty() && text[0] >= '0' && text[0] <= '9') {
        int base = text.starts_with("0x") || text.starts_with("0X") ? 16 : text[0] == '0' ? 8 : 10;
        std::string_view digits = base == 16 ? text.substr(2) : text;
        auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), mask, base);
        if (error != std::errc{} || end != digits.data() + digits.size()) bad("malformed rights", text);
        return mask;
    }
    if (text.size() % 2 != 0) bad("unknown rights", text);
    for (std::size_t at = 0; at < text.size(); at += 2) {
        std::string_view name = text.substr(at, 2);
        auto right = find_name(kWholeRights, name);
        if (!right) right = find_name(kSingleRights, name);
        if (!right) bad("unknown right", name);
        mask |= *right;
    }
    return mask;
}

// "type;flags;rights;object;inherit object;account", without the parentheses.
Ace parse_ace(std::string_view text) {
    std::array<std::string_view, 6> fields;
    std::size_t at = 0;
    for (std::size_t i = 0; i < fields.size(); ++i) {
        std::size_t end = std::min(text.find(';', at), text.size());
        bool last = i + 1 == fields.size();
        if (last != (end == text.size())) bad("malformed ACE", text);
        fields[i] = text.substr(at, end - at);
        at = end + 1;
    }
    if (fields[0] != "A" && fields[0] != "D") {
        throw fail(ErrorCode::Unsupported, "SDDL: ACEs of type \"{}\" are not supported",
                   printable(fields[0]));
    }
    if (!fields[3].empty() || !fields[4].empty()) bad("object types in the ACE", text);
    Ace ace;
    ace.type = fields[0] == "A" ? ace_type::kAllow : ace_type::kDeny;
    ace.flags = parse_ace_flags(fields[1]);
    ace.mask = parse_rights(fields[2]);
    ace.sid = parse_sddl_sid(fields[5]);
    return ace;
}

void parse_dacl(std::string_view text, SecurityDescriptor& descriptor) {
    descriptor.has_dacl = true;
    descriptor.control |= sd_control::kDaclPresent;
    std::size_t open = std::min(text.find('('), text.size());
    std::string_view flags = text.substr(0, open);
    while (!flags.empty()) {
        std::size_t length = flags.starts_with('P') ? 1 : 2;
        if (flags == kNullAcl && open == text.size()) {
            descriptor.has_dacl = false;
            return;
        }
        if (flags.starts_with('P')) {
            descriptor.control |= sd_control::kDaclProtected;
        } else if (flags.starts_with("AR")) {
            descriptor.control |= sd_control::kDaclAutoInheritRequired;
        } else if (flags.starts_with("AI")) {
            descriptor.control |= sd_control::kDaclAutoInherited;
        } else {
            bad("unknown DACL flags", flags);
        }
        flags.remove_prefix(length);
    }
    for (std::string_view rest = text.substr(open); !rest.empty();) {
        std::size_t close = rest.find(')');
        if (rest.front() != '(' || close == std::string_view::npos) bad("malformed ACE", rest);
        descriptor.dacl.push_back(parse_ace(rest.substr(1, close - 1)));
        rest.remove_prefix(close + 1);
    }
}

void append_rights(std::string& out, std::uint32_t mask) {
    for (std::size_t i = 0; i < kFileRights; ++i) {
        if (kWholeRights[i].second == mask) {
            out += kWholeRights[i].first;
            return;
        }
    }
    std::string names;
    std::uint32_t left = mask;
    for (const auto& [name, bit] : kSingleRights) {
        if ((mask & bit) == 0) continue;
        names += name;
        left &= ~bit;
    }
    out += left == 0 && mask != 0 ? names : fmt::format("{:#x}", mask);
}

void append_account(std::string& out, std::string_view sid) {
    auto alias = alias_of_sid(sid);
    out += alias ? *alias : sid;
}

void append_ace(std::string& out, const Ace& ace) {
    bool plain = (ace.type == ace_type::kAllow || ace.type == ace_type::kDeny) && ace.data.empty();
    std::uint8_t known = 0;
    for (const auto& [name, flag] : kAceFlags) known |= static_cast<std::uint8_t>(flag);
    if (!plain || (ace.flags & ~known) != 0) {
        throw fail(ErrorCode::Unsupported, "SDDL: ACEs of type {} with flags {:#x} are not supported",
                   ace.type, ace.flags);
    }
    out += ace.type == ace_type::kAllow ? "(A;" : "(D;";
    for (const auto& [name, flag] : kAceFlags) {
        if ((ace.flags & flag) != 0) out += name;
    }
    out += ';';
    append_rights(out, ace.mask);
    out += ";;;";
    append_account(out, ace.sid);
    out += ')';
}

}  // namespace

SecurityDescriptor SecurityDescriptor::parse_sddl(std::string_view sddl) {
    if (sddl.size() > kMaxSddl) bad("too long:", sddl);
    SecurityDescriptor descriptor;
    descriptor.control = sd_control::kSelfRelative;
    descriptor.has_dacl = false;
    std::string seen;
    for (std::string_view rest = sddl; !rest.empty();) {
        if (rest.size() < 2 || rest[1] != ':') bad("expected O:, G: or D: at", rest);
        char part = rest[0];
        if (seen.find(part) != std::string::npos) bad("a part twice:", rest);
        seen += part;
        rest.remove_prefix(2);
        // A part ends before the letter in front of the next ':'; accounts and ACEs of ours hold none.
        std::size_t colon = rest.find(':');
        if (colon == 0) bad("malformed part", rest);
        std::string_view text = rest.substr(0, colon == std::string_view::npos ? rest.size() : colon - 1);
        rest.remove_prefix(text.size());
        switch (part) {
            case 'O':
                descriptor.owner = parse_sddl_sid(text);
                break;
            case 'G':
                descriptor.group = parse_sddl_sid(text);
                break;
            case 'D':
                parse_dacl(text, descriptor);
                break;
            case 'S':
                throw fail(ErrorCode::Unsupported, "SDDL: a SACL is not supported");
            default:
                bad("unknown part", std::string_view(&part, 1));
        }
    }
    return descriptor;
}

std::string SecurityDescriptor::sddl() const {
    if (!sacl.empty()) throw fail(ErrorCode::Unsupported, "SDDL: a SACL is not supported");
    std::string out;
    if (!owner.empty()) append_account(out += "O:", owner);
    if (!group.empty()) append_account(out += "G:", group);
    if ((control & sd_control::kDaclPresent) == 0) return out;
    out += "D:";
    if ((control & sd_control::kDaclProtected) != 0) out += "P";
    if ((control & sd_control::kDaclAutoInheritRequired) != 0) out += "AR";
    if ((control & sd_control::kDaclAutoInherited) != 0) out += "AI";
    if (!has_dacl) return out += kNullAcl;
    for (const Ace& ace : dacl) append_ace(out, ace);
    return out;
}

}  // namespace mullion::tree
