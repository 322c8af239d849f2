// Files of an image of one OS for an image of another: `COPY --from=` a Linux stage into a Windows image, and
// back (docs/windows.md).
#pragma once

#include <string>

#include "tree/tree.hpp"

namespace mullion::worker {

// The node at `path` of `from`, whose children may have been filtered, as a node of an `os` tree. Bytes,
// directories, times and hard links stay; link targets are rewritten; owners, modes, attributes, descriptors
// and extended attributes, which mean nothing there, become those of a new file. Throws Invalid for
// names that clash by case on Windows, Unsupported for links out of C: and for alternate data streams.
tree::NodeRef for_other_os(const tree::NodeRef& node, const tree::Tree& from, const std::string& path,
                           tree::Os os);

}  // namespace mullion::worker
