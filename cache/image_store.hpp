// Image names of the local store: refs kept in the layout's index.json, so that any OCI tool sees them. Both
// annotations, io.containerd.image.name and org.opencontainers.image.ref.name, hold the full name: tools that
// look for the latter find exactly one image ("skopeo inspect oci:STATE:docker.io/library/app:latest").
// Writers of several processes take turns; readers see the old file or the new one. Entries and members that
// other tools wrote are kept.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "oci/manifest.hpp"

namespace mullion::cache {

struct NamedImage {
    std::string name;  // full reference, "docker.io/library/app:latest"
    oci::Descriptor target;
};

// Thread-safe. Every call throws Corrupt if index.json cannot be read: then nothing is written over it.
class ImageStore {
  public:
    virtual ~ImageStore() = default;
    virtual std::vector<NamedImage> list() = 0;
    virtual std::optional<NamedImage> find(const std::string& name) = 0;
    // Gives `target` the name, taking it from whatever had it. Throws NotFound if the content store has no
    // such blob. Returns once name and content would survive a power loss.
    virtual void put(const std::string& name, const oci::Descriptor& target) = 0;
    // false if there is no such name.
    virtual bool remove(const std::string& name) = 0;
    // Deletes every blob, layer index and unpacked layer that no name, no cache record and no lease needs
    // (cache/garbage.hpp), and cache records that nobody used for a month. Returns bytes freed. Safe beside
    // running builds: what they use is leased. Canceled, it leaves what it has not come to.
    virtual std::uint64_t collect_garbage(const base::CancelToken& cancel = {}) = 0;
};

}  // namespace mullion::cache
