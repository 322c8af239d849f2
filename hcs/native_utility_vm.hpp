// The part of a layer that a utility VM boots: `UtilityVM` in its folder (hcs.md §3.4).
#pragma once

#include <filesystem>

#include "base/cancel.hpp"
#include "hcs/layer_storage.hpp"
#include "hcs/native_layers.hpp"

namespace mullion::hcs {

// Makes and processes it of a layer that has or changes one. A VM boots one folder, not a stack: a layer
// above the base starts with the files of the next one below.
void import_utility_vm(const NativeLayers& layers, const std::filesystem::path& folder,
                       const LayerImport& layer, const base::CancelToken& cancel);

}  // namespace mullion::hcs
