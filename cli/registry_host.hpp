// Registries as users name them.
#pragma once

#include <string>

namespace mullion::cli {

// "registry.example:5000", "https://registry.example/v2/", "" (docker.io) -> the host as references have it.
// Throws Invalid.
std::string registry_host(const std::string& text);

}  // namespace mullion::cli
