// Images of registries, brought into the content store: first what says what they are, then, when somebody
// needs them, their layers.
//
//     RemoteImages remote(state, client, progress);
//     auto found = remote.find(reference, platform, rule, cancel);      // index, manifest, config
//     remote.fetch(found.image.manifest.layers[0], cancel);             // a layer, whole
//
// A blob becomes visible when it is complete and verified; what is there already is not fetched, whoever
// began it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/progress.hpp"
#include "cache/state.hpp"
#include "oci/image.hpp"
#include "oci/os_match.hpp"
#include "oci/push.hpp"
#include "oci/registry_client.hpp"

namespace mullion::worker {

struct RemoteImage {
    oci::Image image;
    oci::Descriptor root;  // what the reference stands for: the image, or an index it is chosen from
    std::string choice;    // "windows(10.0.20348.2700)/amd64: the highest of 3 versions offered"
};

// Thread-safe. Keeps references to all it is given.
class RemoteImages {
  public:
    RemoteImages(cache::State& state, oci::RegistryClient& client, base::ProgressSink& progress)
        : state_(state), client_(client), progress_(progress) {}

    // What a reference stands for; asks the registry. NotFound if there is no such thing.
    oci::Descriptor resolve(const oci::Reference& reference, const base::CancelToken& cancel);
    // The image for a platform; its documents are in the content store afterwards, leased. No layer is
    // touched. `rule` says which versions of Windows will do.
    RemoteImage find(const oci::Reference& reference, const oci::Platform& platform, const oci::OsRule& rule,
                     const base::CancelToken& cancel);
    // The documents and configs of everything below the reference, in the content store afterwards.
    oci::ImageParts find_all(const oci::Reference& reference, const oci::Descriptor& root,
                             const base::CancelToken& cancel);

    // Brings blobs of a repository in, several at once, shown as statuses of a vertex.
    void fetch(const oci::Reference& repository, const std::vector<oci::Descriptor>& blobs,
               const base::Digest& vertex, const base::CancelToken& cancel);
    // A blob of an image that find() found, with the other layers of that image if `whole`: whoever needs one
    // soon needs all. Shown as a step of its own. False if the blob is of none of them.
    bool fetch(const oci::Descriptor& blob, bool whole, const base::CancelToken& cancel);
    // Is the blob one of an image that find() found?
    bool knows(const base::Digest& blob);
    // The repository it was found in.
    std::optional<oci::Reference> origin_of(const base::Digest& blob);

  private:
    class Documents;
    struct Origin {
        Origin(oci::Reference r, std::vector<oci::Descriptor> l)
            : repository(std::move(r)), layers(std::move(l)) {}
        const oci::Reference repository;
        const std::vector<oci::Descriptor> layers;
        std::mutex fetching;  // one thread brings the image's blobs in, others wait
    };

    bool stored(const oci::Descriptor& blob);
    void fetch_one(const oci::Reference& repository, const oci::Descriptor& blob,
                   const oci::TransferReport& report, const base::CancelToken& cancel);
    void remember(const oci::Reference& repository, const oci::Image& image);
    std::shared_ptr<Origin> origin(const base::Digest& blob);

    cache::State& state_;
    oci::RegistryClient& client_;
    base::ProgressSink& progress_;
    std::mutex mutex_;
    std::map<base::Digest, std::shared_ptr<Origin>> origins_;  // by blob
};

}  // namespace mullion::worker
