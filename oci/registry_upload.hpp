// One blob on its way into a registry (distribution-spec, "Pushing Blobs"). Internal to the room.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "oci/registry_parts.hpp"

namespace mullion::oci {

// An upload is a session at a URL that changes with every answer. In one piece, a session that broke is given
// up for a new one; in chunks, the registry is asked how far it came.
class BlobUpload {
  public:
    BlobUpload(RegistryClient::Parts& parts, RegistryRoute& route, const Reference& repository,
               BlobSource& source, const Descriptor& blob, const base::CancelToken& cancel)
        : parts_(parts),
          route_(route),
          repository_(repository),
          source_(source),
          blob_(blob),
          cancel_(cancel) {}

    // Asks the registry to take the blob from another repository. True if it did.
    bool mount(const Reference& from);
    void upload();

  private:
    // The answer, or what broke on the way to it.
    struct Outcome {
        std::optional<HttpResponse> response;
        std::optional<base::Error> error;
    };

    void open_session();
    void take_session(const HttpResponse& response);
    HttpResponse send(HttpRequest request);
    // Sends it all; the response to that.
    HttpResponse send_whole();
    void upload_chunks(std::uint64_t chunk_size);
    // In one session; Unavailable if that is lost.
    HttpResponse send_chunks(std::uint64_t chunk_size);
    // From `offset` on; tries again where it broke off.
    void send_chunk(std::string_view data, std::uint64_t offset);
    // How many bytes the registry has.
    std::uint64_t received();
    HttpResponse finish_session();
    // Failures that can pass are an outcome, others are thrown.
    static Outcome outcome_of(const std::function<HttpResponse()>& send);
    // Waits before the next attempt; throws what the last one came to if there is none left.
    void wait(int attempt, const Outcome& outcome);
    [[noreturn]] void refuse(const HttpResponse& response);

    RegistryClient::Parts& parts_;
    RegistryRoute& route_;
    const Reference& repository_;
    BlobSource& source_;
    const Descriptor& blob_;
    const base::CancelToken& cancel_;
    std::string session_;  // empty: none
    std::uint64_t min_chunk_ = 0;
};

}  // namespace mullion::oci
