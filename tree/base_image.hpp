// A small, deterministic stand-in for a Windows base image, for offline use and tests: real directory names
// and casing, security descriptors, the built-in profiles, small registry hives in Windows\System32\config.
// It holds no Microsoft bytes and no programs.
#pragma once

#include "tree/delta.hpp"
#include "tree/tree.hpp"

namespace mullion::tree {

struct BaseImageOptions {
    std::string os_version = "10.0.20348.2700";  // four numbers; named in License.txt and SOFTWARE
    base::FileTime time;                         // of every entry
};

// The one layer of the image.
Delta base_image_layer(const BaseImageOptions& options);

// The directories that every Windows image has, as Windows set them up, at this time: what a layer repeats of
// a base that it does not know.
Tree standard_directories(base::FileTime time);

}  // namespace mullion::tree
