// A repository of a registry as a place that blobs come from.
#pragma once

#include "oci/blob_source.hpp"
#include "oci/registry_client.hpp"

namespace mullion::oci {

// Manifests and indexes are fetched when opened; other blobs stream while they are read, in a thread of their
// own, a megabyte ahead at most. Thread-safe. Keeps a reference to the client.
class RegistryBlobs final : public BlobSource {
  public:
    RegistryBlobs(RegistryClient& client, Reference repository)
        : client_(client), repository_(std::move(repository)) {}

    std::unique_ptr<base::Source> open(const Descriptor& descriptor,
                                       const base::CancelToken& cancel) override;
    const Reference& repository() const { return repository_; }

  private:
    RegistryClient& client_;
    Reference repository_;
};

// A document by digest, which must be of the descriptor's media type. Throws what get_manifest does, Corrupt.
RegistryDocument get_document(RegistryClient& client, const Reference& repository,
                              const Descriptor& descriptor, const base::CancelToken& cancel);

}  // namespace mullion::oci
