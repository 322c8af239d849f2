// Descriptors, manifests and indexes (OCI image-spec; Docker's schema 2 equivalents are read as well).
// Values; unknown members are kept in `extra` as in ImageConfig. json() is canonical: the member order of the
// Go structs, no white space, plain UTF-8; parse(json()).json() gives the same bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "oci/platform.hpp"

namespace mullion::oci {

namespace media_type {
constexpr std::string_view kManifest = "application/vnd.oci.image.manifest.v1+json";
constexpr std::string_view kIndex = "application/vnd.oci.image.index.v1+json";
constexpr std::string_view kConfig = "application/vnd.oci.image.config.v1+json";
constexpr std::string_view kLayer = "application/vnd.oci.image.layer.v1.tar";
constexpr std::string_view kLayerGzip = "application/vnd.oci.image.layer.v1.tar+gzip";
constexpr std::string_view kLayerZstd = "application/vnd.oci.image.layer.v1.tar+zstd";
constexpr std::string_view kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
constexpr std::string_view kDockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
constexpr std::string_view kDockerConfig = "application/vnd.docker.container.image.v1+json";
constexpr std::string_view kDockerLayer = "application/vnd.docker.image.rootfs.diff.tar";
constexpr std::string_view kDockerLayerGzip = "application/vnd.docker.image.rootfs.diff.tar.gzip";
bool is_manifest(std::string_view type);
bool is_index(std::string_view type);
bool is_layer(std::string_view type);
// Layers that are fetched from their own URLs and not pushed (hcs.md §4.6).
bool is_foreign_layer(std::string_view type);
}  // namespace media_type

struct Descriptor {
    std::string media_type;
    base::Digest digest;
    std::uint64_t size = 0;
    std::map<std::string, std::string> annotations;
    std::vector<std::string> urls;
    std::optional<Platform> platform;
    std::string extra = "{}";
    bool operator==(const Descriptor&) const = default;
};

struct Manifest {
    std::string media_type{media_type::kManifest};
    Descriptor config;
    std::vector<Descriptor> layers;  // base first
    std::map<std::string, std::string> annotations;
    std::string extra = "{}";

    static constexpr std::size_t kMaxSize = 4 << 20;  // bytes of the document, as registries have it

    // Throws Invalid naming the JSON path; also for an index that poses as a manifest.
    static Manifest parse(std::string_view json);
    std::string json() const;
    bool operator==(const Manifest&) const = default;
};

struct Index {
    std::string media_type{media_type::kIndex};
    std::vector<Descriptor> manifests;
    std::map<std::string, std::string> annotations;
    std::string extra = "{}";

    static constexpr std::size_t kMaxSize = 4 << 20;

    static Index parse(std::string_view json);
    std::string json() const;
    bool operator==(const Index&) const = default;
};

// Does the entry describe another image (provenance, SBOM) instead of being one? BuildKit's convention.
bool is_attestation(const Descriptor& entry);

// The entry that serves `wanted` best (hcs.md §5 compares versions as text; we compare numbers):
//   1. only entries that satisfy it; those without a platform come last; attestations never;
//   2. no os.version wanted: the highest; equal ones: the first in the index;
//   3. an os.version wanted: the entry with exactly that version, else the first.
// Throws NotFound, listing what the index offers.
const Descriptor& select(const Index& index, const Platform& wanted);

}  // namespace mullion::oci
