// One platform's image, read and verified: what everybody wants of a root descriptor.
#pragma once

#include <vector>

#include "oci/blob_source.hpp"
#include "oci/config.hpp"

namespace mullion::oci {

struct Image {
    Descriptor descriptor;  // of the manifest
    Manifest manifest;
    ImageConfig config;
};

// The image `root` names (a manifest, or an index from which the best entry for `wanted` is taken, see
// select()). Throws NotFound listing what an index offers; Corrupt/Invalid for damaged documents, layer
// counts that disagree included.
Image read_image(BlobSource& source, const Descriptor& root, const Platform& wanted,
                 const base::CancelToken& cancel);

// Every image below `root`, attestation manifests (platform "unknown/unknown") left out.
std::vector<Image> read_images(BlobSource& source, const Descriptor& root, const base::CancelToken& cancel);

// The entry of `index` that serves `wanted`: OS, architecture and, if named, os.version must agree; among
// several the numerically highest os.version wins, then index order (hcs.md §5). Throws NotFound listing
// every entry offered.
const Descriptor& select(const Index& index, const Platform& wanted);

}  // namespace mullion::oci
