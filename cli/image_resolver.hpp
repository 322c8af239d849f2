// Where FROM finds images: the local store, registries, and OCI layouts given as named contexts.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "cache/state.hpp"
#include "frontend/image_resolver.hpp"
#include "oci/layout.hpp"
#include "oci/os_match.hpp"
#include "worker/remote_images.hpp"
#include "worker/worker.hpp"

namespace mullion::cli {

// Which images will do, and where they are looked for.
struct ImageChoice {
    oci::OsRule rule;
    // Ask the registry, whatever the local store has under the name; else, what a name stood for when a build
    // last asked will do if the registry cannot be reached.
    bool always_pull = false;
};

class StoreImageResolver final : public frontend::ImageResolver {
  public:
    // `worker` looks into images; it must know the layouts that are resolved, and `remote`, which
    // may be null: then there are no registries.
    StoreImageResolver(cache::State& state, worker::Worker& worker, worker::RemoteImages* remote,
                       ImageChoice choice)
        : state_(state), worker_(worker), remote_(remote), choice_(choice) {}

    frontend::ResolvedImage resolve_image(const oci::Reference& reference, const oci::Platform& platform,
                                          const base::CancelToken& cancel) override;
    // `layout`: DIR[:TAG][@DIGEST]; the directory (or archive file) is on the host.
    frontend::ResolvedImage resolve_layout(std::string_view layout, const oci::Platform& platform,
                                           const base::CancelToken& cancel) override;
    std::optional<std::string> machine_path(const frontend::ResolvedImage& image,
                                            const base::CancelToken& cancel) override;

  private:
    struct RemoteFind {
        worker::RemoteImage image;
        std::string warning;
    };
    RemoteFind find_remote(const oci::Reference& reference, const oci::Platform& platform,
                           const base::CancelToken& cancel);
    frontend::ResolvedImage resolve_remote(const oci::Reference& reference, const oci::Platform& platform,
                                           const base::CancelToken& cancel);
    std::optional<oci::Descriptor> find_named(const oci::Reference& reference);
    std::optional<oci::Descriptor> find_pinned(const oci::Reference& reference,
                                               const base::CancelToken& cancel);

    cache::State& state_;
    worker::Worker& worker_;
    worker::RemoteImages* remote_;
    ImageChoice choice_;
};

// DIR[:TAG][@DIGEST] taken apart. A colon that belongs to an existing path is part of the path.
struct LayoutSpec {
    std::string path;
    std::string tag;
    std::string digest;
    static LayoutSpec parse(std::string_view text);
};

// The root a spec names: by digest, by tag, or the only one. Throws NotFound/Invalid listing what there is.
oci::Descriptor find_root(const oci::ImageArchive& archive, const LayoutSpec& spec);

}  // namespace mullion::cli
