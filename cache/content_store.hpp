// The content store: blobs by digest in an OCI layout (<state>/blobs/sha256, oci-layout, index.json) that any
// OCI tool can read. A blob is visible only when it is complete and verified; several processes may share one
// store; a crash at any instant leaves at worst a temporary file in <state>/tmp.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/stream.hpp"
#include "oci/blob_source.hpp"

namespace mullion::cache {

// Writes one blob. Destroying it before commit() leaves nothing.
class BlobWriter : public base::Sink {
  public:
    // Makes the blob visible. If `expected` is given, digest and size must match (Corrupt, naming both).
    // Committing content that is already there succeeds quietly. Returns digest and size of what was written.
    struct Committed {
        base::Digest digest;
        std::uint64_t size;
    };
    virtual Committed commit(const std::optional<base::Digest>& expected = {},
                             const std::optional<std::uint64_t>& expected_size = {}) = 0;
};

class ContentStore : public oci::BlobSource {
  public:
    // Opens (and makes, if absent) the store below `state`. Throws Denied with the path if it is not
    // writable.
    static std::unique_ptr<ContentStore> open_directory(const std::filesystem::path& state);

    virtual bool contains(const base::Digest& digest) = 0;
    virtual std::optional<std::uint64_t> size_of(const base::Digest& digest) = 0;
    virtual std::unique_ptr<BlobWriter> writer() = 0;
    // A blob as a file, for readers that want ranges. Throws NotFound.
    virtual std::filesystem::path path_of(const base::Digest& digest) = 0;
    virtual void remove(const base::Digest& digest) = 0;
    virtual std::vector<base::Digest> list() = 0;

    // Convenience: a small blob in one go.
    base::Digest put_bytes(std::string_view bytes);
    // Copies (verified) what is not there yet.
    void ingest(oci::BlobSource& from, const oci::Descriptor& descriptor, const base::CancelToken& cancel);
};

}  // namespace mullion::cache
