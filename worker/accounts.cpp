#include "worker/accounts.hpp"

#include <fmt/format.h>

#include <charconv>
#include <vector>

#include "base/error.hpp"
#include "tree/name.hpp"
#include "tree/security_descriptor.hpp"
#include "tree/sid.hpp"
#include "worker/image_registry.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxTable = 4 << 20;  // of /etc/passwd and /etc/group

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
    return value;
}

std::optional<std::string> written_sid(std::string_view text) {
    if (!text.starts_with("S-1-") && !text.starts_with("s-1-")) return {};
    std::string sid = "S" + std::string(text.substr(1));
    std::string bytes;
    try {
        tree::append_sid(bytes, sid);
    } catch (const base::Error&) {
        return {};
    }
    return sid;
}

std::vector<std::string_view> fields_of(std::string_view line) {
    std::vector<std::string_view> fields;
    for (;;) {
        std::size_t colon = line.find(':');
        fields.push_back(line.substr(0, colon));
        if (colon == std::string_view::npos) return fields;
        line.remove_prefix(colon + 1);
    }
}

// The fields of the first line that begins with `name`.
std::vector<std::string_view> find_line(std::string_view table, std::string_view name) {
    while (!table.empty()) {
        std::string_view line = table.substr(0, table.find('\n'));
        table.remove_prefix(std::min(table.size(), line.size() + 1));
        std::vector<std::string_view> fields = fields_of(line);
        if (fields[0] == name) return fields;
    }
    return {};
}

base::Error no_file_system(std::string_view name) {
    return fail(
               ErrorCode::Unsupported,
               "the account \"{}\" cannot be looked up: what does not depend on a base image (--link) has no "
               "accounts but the built-in ones",
               tree::printable(name))
        .about(name)
        .hint("use a built-in account, a number or a SID (S-1-5-...), or leave --link out");
}

}  // namespace

struct Accounts::Database {
    SnapshotRef root;
    tree::ContentProvider& contents;
    base::CancelToken cancel;
    std::optional<tree::HiveStack> sam;
    std::optional<std::string> passwd;
    std::optional<std::string> group;

    const tree::HiveStack& read_sam() {
        if (!sam) sam = read_hive(*root, tree::HiveName::Sam, contents, cancel);
        return *sam;
    }

    // A file of the image; nothing if it is not there.
    const std::string& read_table(std::optional<std::string>& table, const char* path) {
        if (table) return *table;
        const tree::Tree& tree = root->tree(cancel);
        auto target = tree.resolve(path);
        tree::NodeRef node = target ? tree.find(*target) : nullptr;
        table.emplace();
        if (node && node->kind == tree::NodeKind::File) {
            *table = contents.open(*node->content, cancel)->read_all(kMaxTable, fmt::format("/{}", path));
        }
        return *table;
    }
};

Accounts::Accounts(SnapshotRef root, tree::ContentProvider& contents, const base::CancelToken& cancel)
    : database_(new Database{std::move(root), contents, cancel, {}, {}, {}}) {}

std::string Accounts::windows_sid(std::string_view name) const {
    if (auto sid = written_sid(name)) return *sid;
    if (auto sid = tree::builtin_sid(name)) return *sid;
    if (!database_) throw no_file_system(name);
    if (auto sid = tree::account_sid(database_->read_sam(), name)) return *sid;
    throw fail(
        ErrorCode::NotFound, "the image has no account \"{}\"{}", tree::printable(name),
        database_->read_sam().empty() ? ": it has no SAM hive, so only built-in accounts are known" : "")
        .about(name)
        .hint("use ContainerAdministrator, ContainerUser, a group such as Users, or the SID (S-1-5-...)");
}

Accounts::LinuxUser Accounts::linux_user(std::string_view name) const {
    if (auto id = number(name)) return {*id, *id};
    if (!database_) throw no_file_system(name);
    auto line = find_line(database_->read_table(database_->passwd, "etc/passwd"), name);
    auto uid = line.size() > 3 ? number(line[2]) : std::nullopt;
    auto gid = line.size() > 3 ? number(line[3]) : std::nullopt;
    if (uid && gid) return {*uid, *gid};
    throw fail(ErrorCode::NotFound, "the image's /etc/passwd has no user \"{}\"", tree::printable(name))
        .about(name)
        .hint("give the user's number");
}

std::uint32_t Accounts::linux_group(std::string_view name) const {
    if (auto id = number(name)) return *id;
    if (!database_) throw no_file_system(name);
    auto line = find_line(database_->read_table(database_->group, "etc/group"), name);
    auto gid = line.size() > 2 ? number(line[2]) : std::nullopt;
    if (gid) return *gid;
    throw fail(ErrorCode::NotFound, "the image's /etc/group has no group \"{}\"", tree::printable(name))
        .about(name)
        .hint("give the group's number");
}

}  // namespace mullion::worker
