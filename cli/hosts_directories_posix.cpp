#include "base/environment.hpp"
#include "cli/hosts_directories.hpp"

namespace mullion::cli {

std::vector<std::filesystem::path> default_hosts_directories() {
    std::vector<std::filesystem::path> directories;
    if (auto configuration = base::environment_unless_empty("XDG_CONFIG_HOME")) {
        directories.push_back(std::filesystem::path(*configuration) / "mullion" / "certs.d");
    } else if (auto home = base::home_directory()) {
        directories.push_back(*home / ".config" / "mullion" / "certs.d");
    }
    directories.emplace_back("/etc/containerd/certs.d");
    directories.emplace_back("/etc/docker/certs.d");
    return directories;
}

}  // namespace mullion::cli
