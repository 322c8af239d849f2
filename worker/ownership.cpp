#include "worker/ownership.hpp"

#include <algorithm>
#include <memory>

#include "tree/security_descriptor.hpp"
#include "worker/file_mode.hpp"

namespace mullion::worker {
namespace {

constexpr std::string_view kDefaultAccount = "ContainerAdministrator";

bool is_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

std::string user_sid(std::string_view account, const Accounts& accounts) {
    return accounts.windows_sid(account.empty() ? kDefaultAccount : account);
}

Owner resolve_owner(tree::Os os, const std::optional<solver::Ownership>& ownership,
                    const Accounts& accounts) {
    Owner owner;
    std::string user = ownership ? ownership->user : "";
    std::string group = ownership ? ownership->group : "";
    owner.explicit_owner = !user.empty() || !group.empty();
    if (os == tree::Os::Linux) {
        if (!user.empty()) {
            auto [uid, gid] = accounts.linux_user(user);
            owner.uid = uid;
            owner.gid = gid;
        }
        if (!group.empty()) owner.gid = accounts.linux_group(group);
        return owner;
    }
    owner.user_sid = user_sid(is_number(user) ? "" : user, accounts);
    if (!group.empty() && !is_number(group)) owner.group_sid = accounts.windows_sid(group);
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

tree::DescriptorRef Descriptors::with_mode(const tree::DescriptorRef& descriptor, std::uint32_t bits,
                                           bool for_directory) {
    tree::DescriptorRef& known = with_mode_[{descriptor, bits, for_directory}];
    if (!known) {
        tree::SecurityDescriptor changed = tree::SecurityDescriptor::parse(*descriptor);
        set_access(changed, bits, for_directory);
        known = std::make_shared<const std::string>(changed.self_relative());
    }
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
