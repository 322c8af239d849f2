#include "worker/pull.hpp"

#include "worker/remote_images.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

// Emits the step's vertex; what the body throws ends it.
class PullStep {
  public:
    PullStep(base::ProgressSink& progress, const std::string& title)
        : progress_(progress), vertex_{base::Hasher().field("pull").field(title).finish(),
                                       {},
                                       title,
                                       false,
                                       base::FileTime::now(),
                                       {},
                                       {}} {
        progress_.emit(vertex_);
    }
    const base::Digest& digest() const { return vertex_.digest; }
    void end(const std::string& error) {
        vertex_.completed = base::FileTime::now();
        vertex_.error = error;
        progress_.emit(vertex_);
    }

  private:
    base::ProgressSink& progress_;
    base::VertexEvent vertex_;
};

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
    remote.fetch(request.reference, found.image.manifest.layers, vertex, cancel);
    oci::Descriptor target = found.image.descriptor;
    target.annotations.clear();
    return {std::move(target), std::move(found.choice)};
}

}  // namespace

PulledImage pull_image(cache::State& state, oci::RegistryClient& client, const PullRequest& request,
                       base::ProgressSink& progress, const base::CancelToken& cancel) {
    RemoteImages remote(state, client, progress);
    PullStep step(progress, "pulling " + request.reference.familiar());
    try {
        PulledImage image = fetch(remote, request, progress, step.digest(), cancel);
        state.images().put(request.reference.string(), image.target);
        step.end("");
        return image;
    } catch (const std::exception& error) {
        step.end(error.what());
        throw;
    }
}

}  // namespace mullion::worker
