// The part of validate_image that reads layers.
#pragma once

#include <optional>
#include <vector>

#include "base/error.hpp"
#include "oci/validate.hpp"

namespace mullion::oci {

// Is this error about the content (a finding), not about the machine or the user's wish to stop?
bool is_content_error(const base::Error& error);

struct LayerResult {
    std::vector<Finding> findings;
    std::optional<base::DiffId> diff_id;  // nullopt if it could not be decompressed or was absent
};

// Reads a layer once: size, digest, compression, and `on_layer` on what comes out.
LayerResult validate_layer(BlobSource& source, const Descriptor& layer, const LayerContext& context,
                           const LayerCheck& on_layer, const base::CancelToken& cancel);

}  // namespace mullion::oci
