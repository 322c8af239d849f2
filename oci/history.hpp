// The history of an image and its layers (dockerfile.md §13): one entry that is not `empty_layer` per layer,
// each entry with a time.
#pragma once

#include <cstddef>
#include <vector>

#include "base/file_time.hpp"
#include "oci/config.hpp"

namespace mullion::oci {

// Makes the entries with a layer as many as there are layers: those too many are marked empty, the last ones
// first; missing ones are appended (comment "buildkit.exporter.image.v0").
void align_history(std::vector<HistoryEntry>& history, std::size_t layers);

// Gives every entry without a time one: entries with a layer get `layer_time`, the others the time of the
// first timed entry behind an untimed one, or of the last timed entry where there is none.
void fill_history_times(std::vector<HistoryEntry>& history, base::FileTime layer_time);

}  // namespace mullion::oci
