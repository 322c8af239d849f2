// Where an image's blobs can be read from: an OCI layout, an archive, the content store (cache implements it
// there).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/cancel.hpp"
#include "base/stream.hpp"
#include "oci/manifest.hpp"

namespace mullion::oci {

class BlobSource {
  public:
    virtual ~BlobSource() = default;
    // The raw bytes, NOT yet verified (use copy_blob or read_blob). NotFound if absent. The result must not
    // outlive the BlobSource.
    virtual std::unique_ptr<base::Source> open(const Descriptor& descriptor,
                                               const base::CancelToken& cancel) = 0;
};

// Reads `source` to its end.
base::Digest digest_of(base::Source& source, const base::CancelToken& cancel);

// A small blob (manifest, config), verified against digest and size, at most `limit` bytes. Throws NotFound,
// Corrupt (wrong size or digest, naming both), Invalid (larger than `limit`).
std::string read_blob(BlobSource& source, const Descriptor& descriptor, std::size_t limit,
                      const base::CancelToken& cancel);

// Copies a blob of any size into `to`, verifying on the way: `to` has got wrong bytes when Corrupt is thrown,
// so it must be something that can be dropped. Does not finish `to`.
void copy_blob(BlobSource& source, const Descriptor& descriptor, base::Sink& to,
               const base::CancelToken& cancel);

}  // namespace mullion::oci
