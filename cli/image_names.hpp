// Finding images of the local store by what users type.
#pragma once

#include <string>
#include <vector>

#include "cache/state.hpp"

namespace mullion::cli {

// "app" -> "docker.io/library/app:latest"; throws Invalid.
std::string full_name(const std::string& text);
// "docker.io/library/app:latest" -> "app:latest".
std::string short_name(const std::string& full);

// The image called `text`: a name, or the beginning (at least 4 hex digits) of the digest of an index, a
// manifest or a config. An ID of one platform's image gives that image; every name it has is listed. Throws
// NotFound, Invalid for an ambiguous ID.
std::vector<cache::NamedImage> find_images(cache::State& state, const std::string& text);
// Is there one? Throws Invalid.
bool has_image(cache::State& state, const std::string& text);
// The first of them.
cache::NamedImage find_image(cache::State& state, const std::string& text);

}  // namespace mullion::cli
