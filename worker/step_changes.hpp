// What a container changed on disk, as the Delta of a layer.
#pragma once

#include <string>

#include "base/cancel.hpp"
#include "base/file_time.hpp"
#include "hcs/layer_storage.hpp"
#include "tree/content.hpp"
#include "tree/delta.hpp"

namespace mullion::worker {

// What a host cannot tell of a change follows from here.
struct StepRules {
    const tree::Tree& lower;  // what the step started from
    base::FileTime started;   // times from here on become `epoch`
    base::FileTime epoch;
    std::string owner_sid;  // of whoever the process ran as
};

// New objects inherit their descriptor from their directory and belong to the step's user; changed files keep
// attributes (but for read-only, which the change tells), descriptor and creation time; directories that were
// there keep everything. Files that were only touched by the copying of overlayfs (same bytes, time and
// attributes) are no change. Objects whose metadata the backend knows are taken as they are, but for times
// since the step began. Canonical. Contents lie in the scratch. Throws Invalid for names no Windows has and
// on a case clash, Unsupported for links that lead out of C:.
tree::Delta delta_of_changes(const hcs::LayerChanges& changes, const StepRules& rules,
                             tree::ContentProvider& contents, const base::CancelToken& cancel);

}  // namespace mullion::worker
