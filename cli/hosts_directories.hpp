// Where the settings of registries are looked for if --hosts-dir names no place (docs/registries.md).
#pragma once

#include <filesystem>
#include <vector>

namespace mullion::cli {

// Our own first, then where containerd and Docker look.
std::vector<std::filesystem::path> default_hosts_directories();

}  // namespace mullion::cli
