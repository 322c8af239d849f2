// Checks an image: digests, sizes, media types, config against layers, os.version, diff IDs (every layer is
// decompressed and digested). Layer *format* rules are tree::verify_layer's; the cli joins both.
//
// The rules, by name:
//   * blob-missing: a blob that a descriptor names is not there (layers with their own URLs may be absent)
//   * size-mismatch: a blob is longer or shorter than its descriptor says
//   * digest-mismatch: a blob's content has another digest
//   * media-type: a type that does not belong there, or a document whose own mediaType differs
//   * document-invalid: an index, manifest or config that cannot be parsed, or is too large
//   * index-empty: an index without an image
//   * index-depth: indexes nested deeper than 4
//   * image-count: more than 1000 manifests and indexes
//   * platform-missing: a config without os or architecture
//   * platform-mismatch: an index entry that promises another platform than the config has
//   * os-version: a Windows image without a four-part os.version: no Windows host would select it rightly
//   * env: an environment entry without a name and "="
//   * layer-count: the config has another number of diff IDs than the manifest has layers
//   * history-count: the history's entries that are not marked empty are not as many as the layers
//   * layer-compression: a layer that is compressed otherwise than its media type says
//   * layer-corrupt: a layer that cannot be decompressed, or decompresses to more than 256 GiB
//   * diff-id-mismatch: a layer's uncompressed digest is not the config's
//   * layer-format: the layer check gave up
//   * finding-count: more than 10 000 findings; the rest is left out
// and those of the layer check.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "oci/blob_source.hpp"
#include "oci/config.hpp"

namespace mullion::oci {

struct Finding {
    std::string where;  // "manifest sha256:...", "layer 2 of manifest sha256:...", "config sha256:..."
    std::string rule;   // stable name, see above
    std::string text;   // a sentence
    bool operator==(const Finding&) const = default;
};

struct LayerContext {
    std::size_t index = 0;  // 0 = base
    std::string where;
    // The config's; the index entry's where the config could not be read; null if neither tells.
    const Platform* platform = nullptr;
};

// `on_layer` gets each layer's uncompressed bytes as they are checked (may be null) and returns further
// findings. It need not read to the end. A layer that several manifests describe alike, have at the bottom
// or not, and have for the same OS is given once.
using LayerCheck = std::function<std::vector<Finding>(const LayerContext&, base::Source&)>;

// Content that breaks a rule gives findings, never an exception; the list is empty for a good image. Throws
// only Canceled and failures of the machine (Io, Denied, Exhausted). A blob is read once for each
// way in which descriptors describe it.
std::vector<Finding> validate_image(BlobSource& source, const Descriptor& root, const LayerCheck& on_layer,
                                    const base::CancelToken& cancel);

}  // namespace mullion::oci
