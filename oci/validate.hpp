// Checks an image: digests, sizes, media types, config against layers, os.version, diff IDs (every layer is
// decompressed and digested). Layer *format* rules are tree::verify_layer's; the cli joins both.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "oci/blob_source.hpp"
#include "oci/config.hpp"

namespace mullion::oci {

struct Finding {
    std::string where;  // "manifest sha256:...", "layer 2", "config"
    std::string rule;   // stable name: "digest-mismatch", "diff-id-mismatch", "history-count", ...
    std::string text;   // a sentence
};

struct LayerContext {
    std::size_t index = 0;  // 0 = base
    std::string where;
    const ImageConfig* config = nullptr;
};

// `on_layer` gets each layer's uncompressed bytes as they are checked (may be null) and returns further
// findings.
using LayerCheck = std::function<std::vector<Finding>(const LayerContext&, base::Source&)>;

std::vector<Finding> validate_image(BlobSource& source, const Descriptor& root, const LayerCheck& on_layer,
                                    const base::CancelToken& cancel);

}  // namespace mullion::oci
