#include "worker/ownership.hpp"

#include <algorithm>
#include <charconv>
#include <memory>

#include "base/error.hpp"
#include "tree/security_descriptor.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kDefaultAccount = "ContainerAdministrator";

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
    return value;
}

bool is_sid(std::string_view text) {
    if (!text.starts_with("S-1-") && !text.starts_with("s-1-")) return false;
    tree::SecurityDescriptor probe;
    probe.owner = text;
    probe.owner.front() = 'S';
    probe.group = probe.owner;
    probe.has_dacl = false;
    try {
        return !probe.self_relative().empty();
    } catch (const base::Error&) {
        return false;
    }
}

std::optional<std::string> windows_account(std::string_view name) {
    if (is_sid(name)) return "S" + std::string(name.substr(1));
    return tree::builtin_sid(name);
}

base::Error unknown_account(std::string_view name) {
    return fail(ErrorCode::Unsupported,
                "\"{}\" is neither a built-in account of Windows nor a SID; accounts that an image or a RUN "
                "created cannot be looked up yet",
                name)
        .hint("use ContainerAdministrator, ContainerUser, a group such as Users, or the SID (S-1-5-...)");
}

}  // namespace

std::string user_sid(std::string_view account) {
    auto sid = windows_account(account.empty() ? kDefaultAccount : account);
    if (!sid) throw unknown_account(account);
    return *sid;
}

Owner resolve_owner(tree::Os os, const std::optional<solver::Ownership>& ownership) {
    Owner owner;
    std::string user = ownership ? ownership->user : "";
    std::string group = ownership ? ownership->group : "";
    owner.explicit_owner = !user.empty() || !group.empty();
    if (os == tree::Os::Linux) {
        auto uid = user.empty() ? 0 : number(user);
        auto gid = group.empty() ? uid : number(group);
        if (!uid || !gid) {
            throw fail(
                ErrorCode::Unsupported,
                "the owner \"{}:{}\" of a Linux image must be given in numbers: its accounts cannot be "
                "looked up yet",
                user, group);
        }
        owner.uid = *uid;
        owner.gid = *gid;
        return owner;
    }
    owner.user_sid = user_sid(number(user) ? "" : user);
    if (!group.empty() && !number(group)) {
        owner.group_sid = windows_account(group);
        if (!owner.group_sid) throw unknown_account(group);
    }
    return owner;
}

tree::DescriptorRef Descriptors::inherited(const tree::DescriptorRef& parent, bool for_directory) {
    tree::DescriptorRef& known = inherited_[{parent, for_directory}];
    if (!known) {
        known = with_owner(tree::inherit_descriptor(parent, for_directory, owner_.user_sid), false);
    }
    return known;
}

tree::DescriptorRef Descriptors::copied(const tree::DescriptorRef& own) {
    if (!owner_.explicit_owner) return own;
    tree::DescriptorRef& known = copied_[own];
    if (!known) known = with_owner(own, true);
    return known;
}

tree::DescriptorRef Descriptors::with_owner(const tree::DescriptorRef& descriptor, bool user) const {
    if (!user && !owner_.group_sid) return descriptor;
    tree::SecurityDescriptor changed = tree::SecurityDescriptor::parse(*descriptor);
    if (user) changed.owner = owner_.user_sid;
    if (owner_.group_sid) changed.group = *owner_.group_sid;
    return std::make_shared<const std::string>(changed.self_relative());
}

}  // namespace mullion::worker
