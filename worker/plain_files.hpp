// The files of an image for a host that knows nothing of Windows.
#pragma once

#include <cstddef>

#include "tree/tree.hpp"

namespace mullion::worker {

struct PlainFiles {
    tree::Tree tree{tree::Os::Linux};
    // What a host cannot hold and was left out.
    std::size_t streams = 0;
    std::size_t links = 0;  // out of C:
};

// Names, bytes, times, links (made relative) and the read-only attribute; a Linux image's files keep mode and
// owner.
PlainFiles plain_files(const tree::Tree& image);

}  // namespace mullion::worker
