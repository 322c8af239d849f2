// How the front end learns about images: declared here, implemented by whoever can reach the local store,
// registries and OCI layouts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.hpp"
#include "base/digest.hpp"
#include "oci/config.hpp"
#include "oci/platform.hpp"
#include "oci/reference.hpp"

namespace mullion::frontend {

// An image pinned to one manifest. Two builds that see the same ResolvedImage make the same graph.
struct ResolvedImage {
    std::string reference;         // for messages and progress: the name with the digest
    base::Digest manifest_digest;  // of the platform's manifest, not of an index
    oci::ImageConfig config;       // its platform carries the os.version that was chosen
    std::string store;             // becomes solver::ImageSource::store: "" or the name of an OCI layout
    // Set if a revision of Windows was asked for ("10.0.20348.2700") and this is another one of that build:
    // what there is instead. Files can be taken from such an image, but nothing can be built on it that
    // claims to be of the revision asked for.
    std::string offered_instead = {};
    // Nobody has looked: it stands for an image with layers that are not known.
    bool assumed = false;
    // Which image of those there are was taken and why, in words; may be empty.
    std::string choice = {};
    // What is not as it should be with it, though it can be used; may be empty.
    std::string warning = {};
};

// Called from the converting thread only, at most once per (name, platform) and conversion. Implementations
// may block on the network; they honour `cancel`. Failures, which name what was asked for: NotFound (no such
// image, no such platform), Invalid, Unavailable, Denied.
class ImageResolver {
  public:
    virtual ~ImageResolver() = default;

    // `reference` has a tag or a digest. When `platform` names no os.version, the resolver picks the best
    // manifest of that OS and architecture; else one of the same build, the same revision if there is one.
    virtual ResolvedImage resolve_image(const oci::Reference& reference, const oci::Platform& platform,
                                        const base::CancelToken& cancel) = 0;

    // `layout` is what follows "oci-layout://" in a named context: a directory or store name, with an
    // optional ":TAG" or "@DIGEST".
    virtual ResolvedImage resolve_layout(std::string_view layout, const oci::Platform& platform,
                                         const base::CancelToken& cancel) = 0;

    // The PATH that processes of a Windows image start with if its config has none: the machine's, from the
    // image's registry; "" if that has none. nullopt from resolvers that do not look into images. Asked only
    // where an ENV refers to PATH. Besides the above, Corrupt for a registry that cannot be read.
    virtual std::optional<std::string> machine_path(const ResolvedImage&, const base::CancelToken&) {
        return std::nullopt;
    }
};

}  // namespace mullion::frontend
