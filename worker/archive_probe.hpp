// ADD unpacks local tar archives; we do not yet, and must not copy them unseen instead.
#pragma once

#include <string_view>

#include "base/cancel.hpp"
#include "tree/content.hpp"

namespace mullion::worker {

// Throws Unsupported if the file is a tar archive, plain or compressed (gzip, bzip2, xz, zstd), which ADD
// would have to unpack.
void refuse_archive(std::string_view path, const tree::Content& content, tree::ContentProvider& contents,
                    const base::CancelToken& cancel);

}  // namespace mullion::worker
