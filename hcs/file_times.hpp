// The times of files in folders of layers.
#pragma once

#include <filesystem>

#include "tree/metadata.hpp"

namespace mullion::hcs {

// Sets the four times of a file or directory, a link itself. Systems other than Windows set two of them.
void write_times(const std::filesystem::path& path, const tree::Metadata& metadata);
void read_times(const std::filesystem::path& path, tree::Metadata& metadata);

}  // namespace mullion::hcs
