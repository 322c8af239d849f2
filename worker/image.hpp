// From a solved file system and a config to an image: blobs, config, manifest.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/progress.hpp"
#include "oci/compress.hpp"
#include "oci/config.hpp"
#include "oci/manifest.hpp"
#include "worker/snapshot.hpp"
#include "worker/worker.hpp"

namespace mullion::worker {

// How layers are stored in an image.
struct CompressionOptions {
    oci::Compression compression = oci::Compression::Gzip;
    std::optional<int> level;
    // Also layers that exist already in another form (the base image's) are written anew.
    bool force = false;
};

struct ImageRequest {
    SnapshotRef snapshot;
    // Its diff_ids are replaced by the snapshot's. History is completed or corrected to match the layers
    // (dockerfile.md §13).
    oci::ImageConfig config;
    // Given to history entries that have to be made up.
    base::FileTime epoch;
    std::map<std::string, std::string> manifest_annotations;
    bool docker_media_types = false;  // Docker schema 2 instead of OCI
    CompressionOptions compression;
};

struct AssembledImage {
    oci::Descriptor descriptor;  // of the manifest, with the platform
    std::string manifest;
    oci::Manifest parsed_manifest;
    std::string config;
    oci::ImageConfig parsed_config;
};

// Writes the layers that are not written yet (into the content store), then makes the documents. Emits the
// statuses "exporting layers", "exporting manifest D", "exporting config D" for `vertex`.
AssembledImage assemble_image(Worker& worker, const ImageRequest& request, base::ProgressSink& progress,
                              const base::Digest& vertex, const base::CancelToken& cancel);

}  // namespace mullion::worker
