// Images of registries into the local store.
#pragma once

#include <functional>
#include <string>

#include "base/progress.hpp"
#include "cache/state.hpp"
#include "oci/os_match.hpp"
#include "oci/reference.hpp"
#include "oci/registry_client.hpp"

namespace mullion::worker {

struct PullRequest {
    oci::Reference reference;  // with a tag or a digest
    oci::Platform platform = {};
    oci::OsRule rule = {};
    bool all_platforms = false;  // the index with everything it names
    // Looks at the image that was chosen before any of its layers is fetched: what it returns is shown, what
    // it throws ends the pull. Not asked with all platforms. May be empty.
    std::function<std::string(const oci::Image&)> judge = {};
};

struct PulledImage {
    oci::Descriptor target;
    std::string choice;  // which image was taken and why; empty with all platforms
};

// Fetches what the store lacks, several blobs at once, and names it last: the name never stands for less than
// the whole. What a pull that was killed had complete is not fetched again. The store
// keeps it under the whole reference, digest included. Progress is told of `vertex`.
// Throws what RegistryClient and oci::choose throw.
PulledImage pull_image(cache::State& state, oci::RegistryClient& client, const PullRequest& request,
                       base::ProgressSink& progress, const base::Digest& vertex,
                       const base::CancelToken& cancel);

}  // namespace mullion::worker
