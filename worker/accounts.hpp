// Names of accounts, as the file system that a step works on knows them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.hpp"
#include "tree/content.hpp"
#include "worker/snapshot.hpp"

namespace mullion::worker {

// Reads the account database when it is first asked for a name that is not built in. A cheap value; not
// thread-safe.
class Accounts {
  public:
    // Of no file system: built-in accounts, SIDs and numbers only.
    Accounts() = default;
    // Of `root`: the SAM hives of a Windows image, /etc/passwd and /etc/group of a Linux one. References must
    // outlive the value.
    Accounts(SnapshotRef root, tree::ContentProvider& contents, const base::CancelToken& cancel);

    // The SID of a user or group of a Windows image: a built-in, "S-1-5-...", or a name of its SAM. NotFound
    // if there is none, Unsupported where there is no file system to ask.
    std::string windows_sid(std::string_view name) const;

    struct LinuxUser {
        std::uint32_t uid = 0;
        std::uint32_t gid = 0;
    };
    // A number is itself (and its group the same number).
    LinuxUser linux_user(std::string_view name) const;
    std::uint32_t linux_group(std::string_view name) const;

  private:
    struct Database;
    std::shared_ptr<Database> database_;
};

}  // namespace mullion::worker
