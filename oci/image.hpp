// Finding and reading one image behind a descriptor.
#pragma once

#include <vector>

#include "oci/blob_source.hpp"
#include "oci/config.hpp"
#include "oci/manifest.hpp"

namespace mullion::oci {

struct Image {
    Descriptor descriptor;  // of the manifest
    Manifest manifest;
    ImageConfig config;
};

// The image behind `root`, which serves `wanted`: follows indexes (select() in each, at most 4 deep) down to
// a manifest, and reads and verifies manifest and config. A manifest given directly is taken whatever its
// platform. Throws NotFound (nothing serves `wanted`, or a blob is absent), Invalid, Corrupt (also if
// manifest and config disagree on the number of layers).
Image load_image(BlobSource& source, const Descriptor& root, const Platform& wanted,
                 const base::CancelToken& cancel);

// Every image below `root`, each once; attestation manifests (platform "unknown/unknown") are left out.
// Throws Invalid beyond 1000 manifests and indexes.
std::vector<Image> load_images(BlobSource& source, const Descriptor& root, const base::CancelToken& cancel);

}  // namespace mullion::oci
