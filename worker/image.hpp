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
    // Given to history entries that have no time.
    base::FileTime epoch;
    // The config's `created` is not later than this.
    std::optional<base::FileTime> source_date_epoch;
    // New layers are rewritten so that no time in them is later (rewrite-timestamp, dockerfile.md §20).
    std::optional<base::FileTime> latest_time;
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
// statuses "exporting layers", then "exporting manifest D" and "exporting config D" per image, for `vertex`.
std::vector<AssembledImage> assemble_images(Worker& worker, const std::vector<ImageRequest>& requests,
                                            base::ProgressSink& progress, const base::Digest& vertex,
                                            const base::CancelToken& cancel);
AssembledImage assemble_image(Worker& worker, const ImageRequest& request, base::ProgressSink& progress,
                              const base::Digest& vertex, const base::CancelToken& cancel);

}  // namespace mullion::worker
