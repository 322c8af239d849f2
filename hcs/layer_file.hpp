// Files in folders of layers, as the host has them on record.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>

#include "tree/metadata.hpp"

namespace mullion::hcs {

// Sets the four times of a file or directory, a link itself. Systems other than Windows set two of them.
void write_times(const std::filesystem::path& path, const tree::Metadata& metadata);
void read_times(const std::filesystem::path& path, tree::Metadata& metadata);
// Names of one file have the same number, other files of the folder another one; nullopt for a file with one
// name.
std::optional<std::uint64_t> hard_link_group(const std::filesystem::path& path);

}  // namespace mullion::hcs
