// What a COPY or ADD reads: sources of an action resolved in the Tree they come from (dockerfile.md §10), and
// the digest of what was selected, which is what the step's cache key counts.
#pragma once

#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/digest.hpp"
#include "solver/operation.hpp"
#include "tree/tree.hpp"

namespace mullion::worker {

// Where sources come from.
struct CopyInput {
    const tree::Tree& tree;
    // A directory of the client: a symlink on the way to a source must not lead out of it. In an image, links
    // are followed inside the image's root.
    bool is_context = false;
};

struct CopySource {
    std::string path;    // as asked for, in the tree's casing; gives the name
    std::string kept;    // the part of it that --parents keeps: all, or what follows "/./"
    tree::NodeRef node;  // what is there, links followed; without what --exclude names
};

// The sources of `action`, in order; names that wildcards match in folded order. A literal source that is not
// there is NotFound (`"/x": not found`), a wildcard may match nothing. Invalid: a pattern with broken syntax,
// a link out of the context.
std::vector<CopySource> select_sources(const solver::CopyAction& action, const CopyInput& input);

// Counts contents and metadata of what is selected, and the names that come along: those below a directory, a
// file's own, the directories that --parents keeps (dockerfile.md §18).
base::Digest selection_digest(const solver::CopyAction& action, const CopyInput& input,
                              tree::ContentProvider& contents, const base::CancelToken& cancel);

}  // namespace mullion::worker
