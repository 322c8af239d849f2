// Who owns what the engine creates in an image, and the security descriptors that follow.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

#include "solver/operation.hpp"
#include "tree/metadata.hpp"
#include "worker/accounts.hpp"

namespace mullion::worker {

struct Owner {
    // Windows: SIDs. No group: the one Windows gives (tree::inherit_descriptor).
    std::string user_sid;
    std::optional<std::string> group_sid;
    // Linux.
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    bool explicit_owner = false;  // was asked for
};

// `--chown` and the like. On Windows a number and nothing mean ContainerAdministrator (dockerfile.md §11), on
// Linux nothing means root. Throws as Accounts does.
Owner resolve_owner(tree::Os os, const std::optional<solver::Ownership>& ownership, const Accounts& accounts);
// The SID of the account a RUN works as; "" is ContainerAdministrator.
std::string user_sid(std::string_view account, const Accounts& accounts);

// Makes descriptors for new objects; remembers them, because a layer has many files and few descriptors.
class Descriptors {
  public:
    explicit Descriptors(Owner owner) : owner_(std::move(owner)) {}
    // For an object made in a directory with descriptor `parent`.
    tree::DescriptorRef inherited(const tree::DescriptorRef& parent, bool for_directory);
    // For a copy of an object that has one: kept, but for an owner that was asked for.
    tree::DescriptorRef copied(const tree::DescriptorRef& own);
    // `descriptor` with the access that permission bits mean (worker/file_mode.hpp).
    tree::DescriptorRef with_mode(const tree::DescriptorRef& descriptor, std::uint32_t bits,
                                  bool for_directory);

  private:
    tree::DescriptorRef with_owner(const tree::DescriptorRef& descriptor, bool user) const;

    Owner owner_;
    std::map<std::pair<tree::DescriptorRef, bool>, tree::DescriptorRef> inherited_;
    std::map<tree::DescriptorRef, tree::DescriptorRef> copied_;
    std::map<std::tuple<tree::DescriptorRef, std::uint32_t, bool>, tree::DescriptorRef> with_mode_;
};

}  // namespace mullion::worker
