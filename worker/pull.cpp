#include "worker/pull.hpp"

#include "worker/remote_images.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

PulledImage fetch(RemoteImages& remote, const PullRequest& request, base::ProgressSink& progress,
                  const base::Digest& vertex, const base::CancelToken& cancel) {
    if (request.all_platforms) {
        oci::Descriptor root = remote.resolve(request.reference, cancel);
        oci::ImageParts parts = remote.find_all(request.reference, root, cancel);
        remote.fetch(request.reference, parts.blobs, vertex, cancel);
        return {std::move(root), {}};
    }
    RemoteImage found = remote.find(request.reference, request.platform, request.rule, cancel);
    Status(progress, vertex, found.choice).done();
    if (request.judge) {
        if (std::string text = request.judge(found.image); !text.empty())
            Status(progress, vertex, text).done();
    }
    remote.fetch(request.reference, found.image.manifest.layers, vertex, cancel);
    oci::Descriptor target = found.image.descriptor;
    target.annotations.clear();
    return {std::move(target), std::move(found.choice)};
}

}  // namespace

PulledImage pull_image(cache::State& state, oci::RegistryClient& client, const PullRequest& request,
                       base::ProgressSink& progress, const base::Digest& vertex,
                       const base::CancelToken& cancel) {
    RemoteImages remote(state, client, progress);
    PulledImage image = fetch(remote, request, progress, vertex, cancel);
    state.images().put(request.reference.string(), image.target);
    return image;
}

}  // namespace mullion::worker
