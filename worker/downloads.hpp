// Files of HTTP(S) servers in the content store, fetched once: what is known of a URL (ETag, Last-Modified,
// digest) is kept with the cache records, and a server that says "not modified" sends nothing (RFC 9110 §13).
#pragma once

#include <optional>
#include <string>

#include "base/cancel.hpp"
#include "base/checksum.hpp"
#include "base/digest.hpp"
#include "base/file_time.hpp"
#include "base/progress.hpp"
#include "cache/state.hpp"
#include "oci/http_client.hpp"

namespace mullion::worker {

struct Download {
    base::Digest digest;
    std::uint64_t size = 0;
    std::optional<base::FileTime> modified;  // Last-Modified
};

struct DownloadRequest {
    std::string url;
    std::optional<base::Checksum> checksum;
    std::optional<std::string> authorization;  // for the URL's host only; kept nowhere
    // Told of the bytes as they come, as a status of the vertex. May be null.
    base::ProgressSink* progress = nullptr;
    base::Digest vertex;
};

// Thread-safe.
class Downloads {
  public:
    // Keeps references.
    Downloads(cache::State& state, oci::HttpClient& client) : state_(state), client_(client) {}

    // What the server has at the URL now; in the content store afterwards, leased. With a checksum that what
    // we have fulfils the server is not asked. Throws Corrupt for content with another checksum, and what
    // HttpClient and require_success throw.
    Download fetch(const DownloadRequest& request, const base::CancelToken& cancel);

  private:
    struct Known;
    std::optional<Known> known(const std::string& url);
    void remember(const std::string& url, const Known& known);
    Known transfer(const DownloadRequest& request, const std::optional<Known>& before,
                   const base::CancelToken& cancel);

    cache::State& state_;
    oci::HttpClient& client_;
};

}  // namespace mullion::worker
