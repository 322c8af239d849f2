// Image names of the local store: refs kept in the layout's index.json (annotations io.containerd.image.name
// and org.opencontainers.image.ref.name), so that any OCI tool sees them. Writers of several processes take
// turns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oci/manifest.hpp"

namespace mullion::cache {

struct NamedImage {
    std::string name;  // full reference, "docker.io/library/app:latest"
    oci::Descriptor target;
};

class ImageStore {
  public:
    virtual ~ImageStore() = default;
    virtual std::vector<NamedImage> list() = 0;
    virtual std::optional<NamedImage> find(const std::string& name) = 0;
    virtual void put(const std::string& name, const oci::Descriptor& target) = 0;
    // false if there is no such name.
    virtual bool remove(const std::string& name) = 0;
    // Deletes every blob, layer index and unpacked layer that no name, no cache record and no lease needs.
    // Returns bytes freed. Safe beside running builds: what they use is leased.
    virtual std::uint64_t collect_garbage() = 0;
};

}  // namespace mullion::cache
