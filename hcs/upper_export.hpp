// Reading what overlayfs' upper directory says about a container's changes.
#pragma once

#include <filesystem>
#include <vector>

#include "base/cancel.hpp"
#include "hcs/layer_storage.hpp"
#include "hcs/scratch.hpp"

namespace mullion::hcs {

// The changes in `scratch` against the image's layers alone: what happened to files that only `wine_files`
// (Wine's part of C:) has is a change only if something was put there. Sorted as LayerChanges::files.
std::vector<RawChange> export_upper(const Scratch& scratch, const std::filesystem::path& wine_files,
                                    const base::CancelToken& cancel);

}  // namespace mullion::hcs
