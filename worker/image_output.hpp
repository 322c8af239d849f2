// What the exporters that make images write: one image, or an index of one per platform. Internal to the
// room.
#pragma once

#include <string>
#include <vector>

#include "worker/export_options.hpp"
#include "worker/exporter.hpp"
#include "worker/image.hpp"

namespace mullion::worker {

struct ImageOutput {
    std::vector<AssembledImage> images;
    std::string index;     // the document; empty if there is none
    oci::Descriptor root;  // of the image or the index, with its own annotations

    ExportResult result(const ImageOptions& options) const;
};

// Writes the layers, makes the documents and emits the statuses of assemble_images(), then "exporting
// manifest list D" for an index.
ImageOutput assemble_output(Worker& worker, const ExportInput& input, const ImageOptions& options,
                            base::ProgressSink& progress, const base::Digest& vertex,
                            const base::CancelToken& cancel);

// What every exporter of images refuses.
void check_image_output(const ExportShape& shape, const ImageOptions& options);

}  // namespace mullion::worker
