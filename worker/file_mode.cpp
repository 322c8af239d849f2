#include "worker/file_mode.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "tree/sid.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::uint32_t kAll = 07777;
constexpr std::uint32_t kSpecial = 07000;
constexpr std::uint32_t kExecute = 0111;
constexpr std::uint32_t kSetUser = 04000, kSetGroup = 02000, kSticky = 01000;

// Access masks of files ([MS-DTYP] 2.4.3, winnt.h): FILE_ALL_ACCESS, and what Explorer calls "modify", "read
// and execute", "write", and traversing without reading.
constexpr std::uint32_t kFull = 0x1f01ff;
constexpr std::uint32_t kReadExecute = 0x1200a9;
constexpr std::uint32_t kWrite = 0x100116;
constexpr std::uint32_t kDelete = 0x010000;
constexpr std::uint32_t kDeleteChild = 0x000040;
constexpr std::uint32_t kExecuteOnly = 0x1000a0;

base::Error invalid_mode(std::string_view text) {
    return fail(ErrorCode::Invalid,
                "invalid chmod parameter: '{}'. it should be octal string and between 0 and 07777", text)
        .about(text);
}

// The three bits `bits` in every class.
std::uint32_t in_every_class(std::uint32_t bits) {
    return bits | bits << 3 | bits << 6;
}

std::uint32_t class_bits(std::uint32_t bits, char from) {
    return from == 'u' ? bits >> 6 & 7 : from == 'g' ? bits >> 3 & 7 : bits & 7;
}

std::uint32_t rights(std::uint32_t class_bits, bool is_directory) {
    std::uint32_t mask = 0;
    if ((class_bits & 4) != 0) mask |= kReadExecute;
    if ((class_bits & 2) != 0) mask |= kWrite | kDelete | (is_directory ? kDeleteChild : 0);
    if ((class_bits & 1) != 0) mask |= kExecuteOnly;
    return mask;
}

}  // namespace

FileMode FileMode::parse(std::string_view text) {
    FileMode mode;
    if (text.empty()) throw invalid_mode(text);
    if (std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; })) {
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode.octal_bits_, 8);
        bool whole = error == std::errc() && end == text.data() + text.size();
        if (!whole || mode.octal_bits_ > kAll) throw invalid_mode(text);
        mode.octal_ = true;
        return mode;
    }
    for (std::string_view rest = text;;) {
        std::size_t comma = rest.find(',');
        try {
            mode.parse_clause(rest.substr(0, comma));
        } catch (const base::Error&) {
            throw invalid_mode(text);
        }
        if (comma == std::string_view::npos) return mode;
        rest.remove_prefix(comma + 1);
    }
}

// [ugoa]* and then, once or more, one of +-= with any of rwxXst or one of ugo.
void FileMode::parse_clause(std::string_view clause) {
    std::uint32_t who = 0;
    std::size_t at = 0;
    for (; at < clause.size() && std::string_view("ugoa").find(clause[at]) != std::string_view::npos; ++at) {
        switch (clause[at]) {
            case 'u':
                who |= 0700 | kSetUser;
                break;
            case 'g':
                who |= 0070 | kSetGroup;
                break;
            case 'o':
                who |= 0007;
                break;
            default:
                who |= kAll;
        }
    }
    if (at == 0) who = kAll;
    if (at == clause.size()) throw invalid_mode(clause);
    while (at < clause.size()) {
        Change change{.who = who, .operation = clause[at++]};
        if (std::string_view("+-=").find(change.operation) == std::string_view::npos)
            throw invalid_mode(clause);
        std::size_t end = std::min(clause.find_first_of("+-=", at), clause.size());
        std::string_view permissions = clause.substr(at, end - at);
        at = end;
        if (permissions == "u" || permissions == "g" || permissions == "o") {
            change.copy_from = permissions[0];
        } else {
            for (char permission : permissions) {
                constexpr std::string_view kLetters = "rwxst";
                constexpr std::uint32_t kBits[] = {0444, 0222, kExecute, kSetUser | kSetGroup, kSticky};
                std::size_t letter = kLetters.find(permission);
                if (permission == 'X') {
                    change.execute_if_any = true;
                } else if (letter != std::string_view::npos) {
                    change.bits |= kBits[letter];
                } else {
                    throw invalid_mode(clause);
                }
            }
        }
        changes_.push_back(change);
    }
}

std::uint32_t FileMode::apply(std::uint32_t bits, bool is_directory) const {
    if (octal_) return octal_bits_;
    for (const Change& change : changes_) {
        std::uint32_t wanted = change.bits;
        if (change.copy_from != 0) wanted = in_every_class(class_bits(bits, change.copy_from));
        if (change.execute_if_any && (is_directory || (bits & kExecute) != 0)) wanted |= kExecute;
        // The sticky bit belongs to no class.
        std::uint32_t who = change.who | ((change.bits & kSticky) != 0 ? kSticky : 0);
        wanted &= who;
        if (change.operation == '=') bits &= ~(change.who & (0777 | kSetUser | kSetGroup));
        if (change.operation == '-') {
            bits &= ~wanted;
        } else {
            bits |= wanted;
        }
    }
    return bits & kAll;
}

void set_access(tree::SecurityDescriptor& descriptor, std::uint32_t bits, bool is_directory) {
    if ((bits & kSpecial) != 0) {
        throw fail(
            ErrorCode::Unsupported,
            "--chmod with the mode {:04o} sets a setuid, setgid or sticky bit, which files of Windows do "
            "not have",
            bits)
            .hint("give the last three digits only");
    }
    std::uint8_t flags =
        is_directory ? tree::ace_flag::kObjectInherit | tree::ace_flag::kContainerInherit : std::uint8_t{0};
    std::vector<tree::Ace> list;
    auto allow = [&](std::uint32_t mask, std::string_view sid, std::uint8_t more = 0) {
        if (mask == 0) return;
        list.push_back(
            {tree::ace_type::kAllow, static_cast<std::uint8_t>(flags | more), mask, std::string(sid)});
    };
    allow(kFull, tree::sid::kSystem);
    allow(kFull, tree::sid::kAdministrators);
    list.push_back({tree::ace_type::kAllow, 0, rights(bits >> 6 & 7, is_directory), descriptor.owner});
    if (list.back().mask == 0) list.pop_back();
    // What is made in a directory belongs to whoever makes it.
    if (is_directory)
        allow(rights(bits >> 6 & 7, true), tree::sid::kCreatorOwner, tree::ace_flag::kInheritOnly);
    if (!descriptor.group.empty() && descriptor.group != tree::sid::kSystem) {
        allow(rights(bits >> 3 & 7, is_directory), descriptor.group);
    }
    allow(rights(bits & 7, is_directory), tree::sid::kEveryone);
    descriptor.dacl = std::move(list);
    descriptor.has_dacl = true;
    descriptor.dacl_revision = 2;
    descriptor.control &= static_cast<std::uint16_t>(
        ~(tree::sd_control::kDaclAutoInherited | tree::sd_control::kDaclAutoInheritRequired));
    descriptor.control |= tree::sd_control::kDaclPresent | tree::sd_control::kDaclProtected;
}

}  // namespace mullion::worker
