// The content store: blobs by digest in an OCI layout (<state>/blobs/sha256, oci-layout, index.json) that any
// OCI tool can read. A blob is visible only when it is complete and verified; several processes may share one
// store; a crash at any instant leaves at worst a temporary file in the session's directory, which the next
// process to open the state sweeps.
//
// Power loss. Committing does not wait for the disk: a build would pay for every byte twice. What a crash of
// the *machine* may leave is a blob that is shorter than it was, never one with other bytes, and so every
// answer here compares sizes where it knows them. make_durable() waits; giving an image a name calls it, so
// that a name never outlives its content.
//
// Leases. commit(), contains() and path_of() lease the blob for the rest of the session (cache/session.hpp):
// garbage collection in another process keeps it. open() does not: an open file stays readable anyway.
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

class Session;

// Writes one blob. Destroying it before commit() leaves nothing. For one thread at a time.
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
    // Reads what was written so far, and what still comes, by whatever thread: the end of it is no end as
    // long as somebody writes. Stays readable after the writer is gone. Not after commit().
    virtual std::unique_ptr<base::Source> written() = 0;
};

// Thread-safe.
class ContentStore : public oci::BlobSource {
  public:
    // Opens (and makes, if absent) the store below `state`. Throws Denied with the path if it is not
    // writable.
    static std::unique_ptr<ContentStore> open_directory(const std::filesystem::path& state);
    // The same, sharing the session of a State.
    static std::unique_ptr<ContentStore> open_directory(const std::filesystem::path& state,
                                                        std::shared_ptr<Session> session);

    virtual bool contains(const base::Digest& digest) = 0;
    virtual std::optional<std::uint64_t> size_of(const base::Digest& digest) = 0;
    virtual std::unique_ptr<BlobWriter> writer() = 0;
    // A blob as a file, for readers that want ranges. Throws NotFound.
    virtual std::filesystem::path path_of(const base::Digest& digest) = 0;
    virtual void remove(const base::Digest& digest) = 0;
    virtual std::vector<base::Digest> list() = 0;
    // Returns once the blobs this session committed or found by contains() would survive a power loss.
    virtual void make_durable() = 0;

    // Convenience: a small blob in one go.
    base::Digest put_bytes(std::string_view bytes);
    // Copies (verified) what is not there yet.
    void ingest(oci::BlobSource& from, const oci::Descriptor& descriptor, const base::CancelToken& cancel);
};

}  // namespace mullion::cache
