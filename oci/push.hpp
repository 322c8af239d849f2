// Images on their way into a registry.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "oci/blob_source.hpp"
#include "oci/registry_client.hpp"
#include "oci/transfer_status.hpp"

namespace mullion::oci {

struct PushOptions {
    // Layers that live at URLs of their own are pushed like all others.
    bool nondistributable = false;
    std::size_t parallel = 4;  // blobs at a time
    // Where else, on the same host, a blob is: the registry then takes it from there.
    std::function<std::optional<Reference>(const Descriptor&)> mount_from = {};
};

struct PushCounts {
    std::size_t uploaded = 0;
    std::size_t mounted = 0;
    std::size_t present = 0;
    std::uint64_t bytes = 0;  // uploaded
};

// Pushes what `root` stands for, an image or an index with all its images, under every tag of `names` (one
// repository; without tags, by digest alone). Blobs first, documents next, names last: whoever pulls sees the
// old image or the whole new one. Throws NotFound for a blob that `source` lacks, and what RegistryClient
// throws.
PushCounts push_image(RegistryClient& client, BlobSource& source, const Descriptor& root,
                      const std::vector<Reference>& names, const PushOptions& options,
                      const TransferReport& report, const base::CancelToken& cancel);

// The manifests, indexes and other blobs below a root, each once; documents after what they name.
struct ImageParts {
    std::vector<RegistryDocument> documents;
    std::vector<Descriptor> blobs;
};
// Throws Invalid beyond 1000 documents or 4 levels of indexes.
ImageParts image_parts(BlobSource& source, const Descriptor& root, const base::CancelToken& cancel);

// Need the blob not be pushed, because it can be had elsewhere (hcs.md §4.6)?
bool lives_elsewhere(const Descriptor& blob);

}  // namespace mullion::oci
