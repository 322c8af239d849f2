// What `docker save` wrote before it wrote OCI layouts, and what skopeo and podman still write:
// manifest.json, a config file and layer tars with or without compression, at paths that manifest.json names.
#pragma once

#include <unordered_map>

#include "oci/archive_file.hpp"
#include "oci/layout.hpp"
#include "oci/tar_index.hpp"

namespace mullion::oci {

// Presented as OCI: manifests are made up from manifest.json. A layer that is not compressed is known by the
// diff ID the config gives; a compressed one is digested when the archive is opened.
class DockerArchive final : public ImageArchive {
  public:
    // `index` must have a manifest.json.
    DockerArchive(ArchiveFile file, TarIndex index, const base::CancelToken& cancel);

    const std::vector<NamedRoot>& roots() const override { return roots_; }
    std::unique_ptr<base::Source> open(const Descriptor& descriptor,
                                       const base::CancelToken& cancel) override;

  private:
    struct Item;  // of manifest.json

    void add(const Item& item, const base::CancelToken& cancel);
    Descriptor add_layer(const std::string& path, const base::DiffId& diff_id,
                         const base::CancelToken& cancel);
    base::Digest digest_at(TarIndex::Range range, const base::CancelToken& cancel);
    Descriptor add_document(std::string_view media_type, std::string bytes);
    TarIndex::Range find(const std::string& path) const;
    std::string read(TarIndex::Range range, std::size_t limit, const std::string& path) const;

    ArchiveFile file_;
    TarIndex index_;
    std::unordered_map<base::Digest, TarIndex::Range> layers_;
    std::unordered_map<std::uint64_t, base::Digest> digests_;  // of compressed layers, by offset
    std::unordered_map<base::Digest, std::string> documents_;  // manifests and configs
    std::vector<NamedRoot> roots_;
};

}  // namespace mullion::oci
