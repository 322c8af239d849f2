// The stored index of a layer: tree::serialise_index under a checksum, because such files are not synced to
// the disk and may be anything after a power loss.
#pragma once

#include <filesystem>
#include <optional>

#include "base/digest.hpp"
#include "tree/delta.hpp"

namespace mullion::cache {

// nullopt if it is absent or damaged.
std::optional<tree::Delta> read_layer_index(const std::filesystem::path& file, const base::DiffId& diff_id);
// Atomic; `temporary` is a directory on the same file system.
void write_layer_index(const std::filesystem::path& file, const tree::Delta& delta,
                       const std::filesystem::path& temporary);

}  // namespace mullion::cache
