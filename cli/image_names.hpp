// Finding images of the local store by what users type.
#pragma once

#include <string>

#include "cache/state.hpp"

namespace mullion::cli {

// "app" -> "docker.io/library/app:latest"; throws Invalid.
std::string full_name(const std::string& text);
// "docker.io/library/app:latest" -> "app:latest".
std::string short_name(const std::string& full);

// The image named `text` (a name, or the beginning of a manifest digest, at least 4 hex digits). Throws
// NotFound with the closest name as a hint, Invalid for an ambiguous digest.
cache::NamedImage find_image(cache::State& state, const std::string& text);

}  // namespace mullion::cli
