// Layers of images as Windows keeps them: what vmcompute.dll makes of a Delta (hcs.md §3.3, §3.4).
#pragma once

#include <filesystem>

#include "base/cancel.hpp"
#include "hcs/layer_storage.hpp"
#include "hcs/native_layers.hpp"

namespace mullion::hcs {

// LayerStorage::import_layer. A base layer is written file by file and processed; another one goes through a
// transport folder, beside `folder` as long as it is needed.
void import_native_layer(const NativeLayers& layers, const std::filesystem::path& folder,
                         const LayerImport& layer, const base::CancelToken& cancel);

}  // namespace mullion::hcs
