// Looking at the host's directories and files, which each system does in its own way. Nothing here follows a
// link, except to the directory that is named first.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/file_time.hpp"
#include "base/handle.hpp"
#include "tree/content.hpp"
#include "tree/metadata.hpp"

namespace mullion::tree {

// What is under a name.
struct HostObject {
    enum class Kind { Directory, File, Symlink, Special };
    Kind kind = Kind::Special;
    const char* special = "special file";  // for messages: "socket"...
    base::FileTime modified;
    std::uint32_t mode = 0;  // permission bits; where the host has none, what everybody may read and run
    StatIdentity identity;
};

// A directory that stays the one it was while it is open. May be read by several threads.
class OpenDirectory {
  public:
    // Throws Invalid if `path` is no directory; NotFound, Denied...
    explicit OpenDirectory(const std::filesystem::path& path);
    ~OpenDirectory();
    OpenDirectory(OpenDirectory&&) noexcept;

    OpenDirectory open(const std::string& name) const;
    HostObject self() const;
    // In the host's order.
    std::vector<std::string> names() const;
    HostObject look_at(const std::string& name) const;
    // As the host spells it.
    std::string link_target(const std::string& name) const;

  private:
    struct Handle;
    explicit OpenDirectory(std::unique_ptr<Handle> handle);
    std::unique_ptr<Handle> handle_;
};

// For reading; nullopt if a link is there. Waits for nothing that may have taken the file's place.
std::optional<base::UniqueFd> open_unless_link(const std::filesystem::path& path);
// nullopt if it is not a regular file.
std::optional<StatIdentity> identity_of(const base::UniqueFd& fd);

// `target`, as the host's links have it, for a link in an image.
std::string to_image_target(std::string target, Os os);

}  // namespace mullion::tree
