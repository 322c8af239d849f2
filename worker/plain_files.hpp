// The files of an image for a host that knows nothing of Windows.
#pragma once

#include <cstddef>
#include <optional>

#include "tree/tree.hpp"

namespace mullion::worker {

struct PlainFiles {
    tree::Tree tree{tree::Os::Linux};
    // What a host cannot hold and was left out.
    std::size_t streams = 0;
    std::size_t links = 0;  // out of C:
    // What the tree has, of a Linux image, and only a tar can hold.
    std::size_t owners = 0;        // files of somebody else than root
    std::size_t special_bits = 0;  // set-user-ID, set-group-ID, sticky
    std::size_t attributes = 0;    // files with extended attributes
};

// Names, bytes, times, links (made relative) and the read-only attribute; a Linux image's files keep mode,
// owner and extended attributes. All times are `time` if it is given.
PlainFiles plain_files(const tree::Tree& image, std::optional<base::FileTime> time = {});

}  // namespace mullion::worker
