// Stream sockets that have a path on this host. Descriptors do not block and are closed on exec.
#pragma once

#include <filesystem>
#include <string>

#include "base/file.hpp"
#include "base/handle.hpp"

namespace mullion::base {

// Throws Invalid for a path that no socket can have: Linux takes 107 bytes (unix(7)). So do the others.
void check_unix_path(const std::string& path);
UniqueFd listen_unix(const std::string& path);
// None if that fails: nobody listens there.
UniqueFd connect_unix(const std::string& path);

// Where a socket of ours may be: in a directory of its own that nobody else may enter, removed with the
// object.
class TempSocket {
  public:
    // Below `parent`; where its path would be too long, below the system's directory for temporary files.
    explicit TempSocket(const std::filesystem::path& parent);
    const std::string& path() const { return path_; }

  private:
    TempDir directory_;
    std::string path_;
};

}  // namespace mullion::base
