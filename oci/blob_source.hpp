// Where an image's blobs can be read from: an OCI layout, an archive, the content store (cache implements it
// there).
#pragma once

#include <memory>

#include "base/cancel.hpp"
#include "base/stream.hpp"
#include "oci/manifest.hpp"

namespace mullion::oci {

class BlobSource {
  public:
    virtual ~BlobSource() = default;
    // The raw bytes, NOT yet verified (use base::VerifyingSource or read_blob). NotFound if absent.
    virtual std::unique_ptr<base::Source> open(const Descriptor& descriptor,
                                               const base::CancelToken& cancel) = 0;
};

// A small blob (manifest, config), verified against digest and size, at most `limit` bytes.
std::string read_blob(BlobSource& source, const Descriptor& descriptor, std::size_t limit,
                      const base::CancelToken& cancel);

}  // namespace mullion::oci
