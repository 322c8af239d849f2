#include "base/environment.hpp"
#include "base/path_text.hpp"
#include "cli/hosts_directories.hpp"

namespace mullion::cli {

std::vector<std::filesystem::path> default_hosts_directories() {
    std::vector<std::filesystem::path> directories;
    if (auto settings = base::environment_unless_empty("APPDATA")) {
        directories.push_back(base::to_path(*settings) / "mullion" / "certs.d");
    }
    if (auto data = base::environment_unless_empty("ProgramData")) {
        directories.push_back(base::to_path(*data) / "containerd" / "certs.d");
        directories.push_back(base::to_path(*data) / "docker" / "certs.d");
    }
    return directories;
}

}  // namespace mullion::cli
