// The root file system of a container: an image's layers on disk, and above them what only this container
// gets (its working directory, mount points, a script).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "cache/session.hpp"
#include "tree/tree.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {

// `tree` with the directory at a tree path, parents included.
tree::Tree with_directory(const tree::Tree& tree, const std::string& path, base::FileTime epoch);

// Must outlive the container.
struct RootFolders {
    std::vector<std::filesystem::path> folders;  // topmost first
    std::optional<cache::TempLayer> own;         // the topmost one, where no other container has it
};

// The layer folders of `rootfs`, whose layers are all written. What `staged` has beyond it becomes a folder
// of its own.
RootFolders root_folders(Worker::Parts& parts, const Snapshot& rootfs, const tree::Tree& staged,
                         const base::CancelToken& cancel);

}  // namespace mullion::worker
