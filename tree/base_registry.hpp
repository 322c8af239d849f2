// The registry hives of the stand-in base image (tree/base_image.hpp).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tree/base_image.hpp"
#include "tree/registry.hpp"

namespace mullion::tree {

// Each hive a base image has, and its bytes; the same for the same options.
std::vector<std::pair<HiveName, std::string>> base_hives(const BaseImageOptions& options);

}  // namespace mullion::tree
