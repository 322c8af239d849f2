// The root file system of a container: an image's layers on disk, and above them what only this container
// gets (its working directory, mount points, a script).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "tree/tree.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {

// `tree` with the directory at a tree path, parents included.
tree::Tree with_directory(const tree::Tree& tree, const std::string& path, base::FileTime epoch);

// The layer folders of `rootfs`, topmost first. What `staged` has beyond it becomes a folder of its own in
// `work`, a directory with a unique name that must outlive the container. All layers are written.
std::vector<std::filesystem::path> root_folders(Worker::Parts& parts, const Snapshot& rootfs,
                                                const tree::Tree& staged, const std::filesystem::path& work,
                                                const base::CancelToken& cancel);

}  // namespace mullion::worker
