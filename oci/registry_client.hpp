// A client of image registries: OCI distribution-spec 1.1, which Docker's registry API v2 became.
//
//     oci::RegistryClient registry({.hosts = {...}}, keychain);
//     oci::RegistryDocument document = registry.get_manifest(reference, cancel);
//     registry.get_blob(reference, descriptor, sink, cancel);
//
// Thread-safe; each call blocks its thread. One client serves one command: what it learns of servers, and the
// tokens they give, are kept until it goes.
//
// What servers say is not believed: documents and blobs are checked against digest and size, documents are
// bounded by Manifest::kMaxSize, and credentials go to the server they are for only, never to where it
// redirects. What can pass is tried again: broken connections, 429 and 5xx, by HttpOptions and Retry-After.
// Every error names host, repository and what was asked for: NotFound, Denied (with what would help),
// Unavailable, TimedOut, Corrupt (what came is not what it should be), Invalid, Canceled.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "oci/blob_source.hpp"
#include "oci/credentials.hpp"
#include "oci/http_client.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "oci/registry_hosts.hpp"

namespace mullion::oci {

struct RegistryRoute;

struct RegistryOptions {
    RegistryHostOptions hosts;
    // Uploads in pieces of so many bytes; 0: in one piece, unless the registry refuses those.
    std::uint64_t chunk_size = 0;
};

// A manifest or index as the registry has it, verified.
struct RegistryDocument {
    Descriptor descriptor;
    std::string bytes;
};

enum class PushedBlob { Present, Mounted, Uploaded };

class RegistryClient {
  public:
    // Keeps a reference to `keychain`.
    RegistryClient(RegistryOptions options, Keychain& keychain);
    ~RegistryClient();
    RegistryClient(const RegistryClient&) = delete;
    RegistryClient& operator=(const RegistryClient&) = delete;

    // Does the registry let us in? Throws Denied if not.
    void ping(const std::string& host, const base::CancelToken& cancel);

    // What a tag or digest stands for, without fetching it; nullopt if there is no such thing.
    std::optional<Descriptor> find_manifest(const Reference& reference, const base::CancelToken& cancel);
    // By digest if the reference has one, else by tag, else "latest".
    RegistryDocument get_manifest(const Reference& reference, const base::CancelToken& cancel);
    // Under the reference's tag, or by its digest.
    void put_manifest(const Reference& reference, const RegistryDocument& document,
                      const base::CancelToken& cancel);

    // `repository`: tag and digest do not matter.
    bool has_blob(const Reference& repository, const Descriptor& blob, const base::CancelToken& cancel);
    // Streams the blob into `sink`, going on where a connection broke; verified once it returns, so `sink`
    // must be something that can be dropped. A blob the registry does not have comes from the descriptor's
    // own URLs. The sink is not finished.
    void get_blob(const Reference& repository, const Descriptor& blob, HttpSink& sink,
                  const base::CancelToken& cancel);
    // A part of it, at most 64 MiB (Invalid), NOT verified: whoever reads it knows the digests of what it
    // holds. Unsupported if the server knows only whole blobs.
    std::string get_blob_part(const Reference& repository, const Descriptor& blob, const HttpRange& part,
                              const base::CancelToken& cancel);
    // Stores the blob unless it is there. `mount_from`: a repository of the same host that has it; the
    // registry then need not be sent it. `source` is opened again for every attempt.
    PushedBlob put_blob(const Reference& repository, BlobSource& source, const Descriptor& blob,
                        const std::optional<Reference>& mount_from, const base::CancelToken& cancel);

    // What the client consists of (internal to the room).
    struct Parts;

  private:
    RegistryDocument fetch_document(RegistryRoute& route, const Reference& reference,
                                    const base::CancelToken& cancel);

    std::unique_ptr<Parts> parts_;
};

}  // namespace mullion::oci
