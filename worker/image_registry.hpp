// The registry of images, read offline from their layers (hcs.md §4.1).
#pragma once

#include <optional>
#include <string>

#include "base/cancel.hpp"
#include "base/digest.hpp"
#include "tree/registry.hpp"
#include "worker/snapshot.hpp"
#include "worker/worker.hpp"

namespace mullion::worker {

// A hive of a Windows file system: the base layer's file and what later layers changed. Empty if the base
// layer has none. Only the hives' own bytes are read. Throws Corrupt, Unsupported for what is no hive, and
// for one larger than tree::HiveFile::kMaxSize.
tree::HiveStack read_hive(const Snapshot& image, tree::HiveName hive, tree::ContentProvider& contents,
                          const base::CancelToken& cancel);

// The machine's PATH in the image with this manifest (tree::machine_path) in a store ("" = content store).
// Remembered by the image's layers, so that the next build reads nothing.
std::optional<std::string> machine_path(Worker& worker, const std::string& store,
                                        const base::Digest& manifest, const base::CancelToken& cancel);

}  // namespace mullion::worker
