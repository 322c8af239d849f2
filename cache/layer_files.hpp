// What is stored of a layer beside its blobs: its index, and the seek tables of its blobs. Each is under a
// checksum, because such files are not synced to the disk and may be anything after a power loss.
#pragma once

#include <filesystem>
#include <optional>

#include "base/digest.hpp"
#include "oci/seek_table.hpp"
#include "tree/delta.hpp"

namespace mullion::cache {

// nullopt if it is absent or damaged.
std::optional<tree::Delta> read_layer_index(const std::filesystem::path& file, const base::DiffId& diff_id);
std::optional<oci::SeekTable> read_seek_table(const std::filesystem::path& file);

// Atomic; `temporary` is a directory on the same file system.
void write_layer_index(const std::filesystem::path& file, const tree::Delta& delta,
                       const std::filesystem::path& temporary);
void write_seek_table(const std::filesystem::path& file, const oci::SeekTable& table,
                      const std::filesystem::path& temporary);

}  // namespace mullion::cache
