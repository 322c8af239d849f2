// HTTP(S), on libcurl: what ADD, remote contexts and registries are built on.
//
//     oci::HttpClient client(options);
//     oci::HttpRequest request{.url = "https://example.com/tool.zip"};
//     oci::HttpResponse response = client.send(request, &sink, cancel);
//     oci::require_success(response, "tool.zip");
//
// Bodies stream: about a mebibyte of one is held, or the whole of a small one. Proxies come from the
// environment (http_proxy, https_proxy, all_proxy, no_proxy). A URL's user and password are sent to its host
// only; messages never show them (http_url.hpp).
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.hpp"
#include "base/file_time.hpp"
#include "base/stream.hpp"

namespace mullion::oci {

struct HttpOptions {
    std::string user_agent = "mullion";
    std::filesystem::path ca_file;  // PEM, instead of the system's certificates; empty: those
    std::string ca_certificates;    // PEM text, besides the system's; replaces ca_file
    // What we prove to be with (TLS client authentication), PEM; empty: nothing.
    std::filesystem::path client_certificate;
    std::filesystem::path client_key;
    bool verify_server = true;  // false: any certificate will do
    std::chrono::milliseconds connect_timeout{30'000};
    std::chrono::seconds stall_timeout{60};  // a transfer that moves nothing for this long has failed
    int max_redirects = 10;
    // Of one request. A server that cannot be reached (its name is not known, nobody listens) gets two unless
    // this client has had an answer from it: a name that is wrong stays wrong.
    int max_attempts = 5;
    // Between attempts: this, then twice as much each time, at most ten seconds; Retry-After wins.
    std::chrono::milliseconds retry_delay{500};
    // A server that asks for more patience than this is not asked again.
    std::chrono::seconds max_retry_after{60};
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpRange {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;  // not 0
};

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    HttpHeaders headers = {};
    // Makes the request's body; called anew for every attempt and redirect. Empty: no body.
    std::function<std::unique_ptr<base::Source>()> body = {};
    std::uint64_t body_size = 0;
    // A response with a longer body is refused (Invalid), if it says so before its first byte.
    std::uint64_t max_body = std::uint64_t{1} << 40;
    // May it be sent again after the connection broke? True for what changes nothing on the server.
    bool repeatable = true;
    bool single_attempt = false;  // whoever asks tries again himself
    // false: a redirect is a response like any other.
    bool follow_redirects = true;
    // Only this part of the body is asked for and counts as the body. A server that sends it whole all the
    // same is refused (Unsupported).
    std::optional<HttpRange> range = {};
    // The URL always gives the same bytes (content by digest): a body that broke off goes on where it
    // stopped, whatever validators the server sends.
    bool immutable = false;
    // The sink has this much of an immutable body already.
    std::uint64_t offset = 0;
};

struct HttpResponse {
    int status = 0;
    HttpHeaders headers;     // of the last response; names in lower case
    std::string url;         // after redirects
    std::string error_body;  // the beginning of a body that is no success
    // The first header of that name (lower case).
    std::optional<std::string> header(std::string_view name) const;
    bool success() const { return status >= 200 && status < 300; }
};

// Takes the body of a successful response.
class HttpSink : public base::Sink {
  public:
    // What was written is void: the body comes again from its first byte.
    virtual void restart() = 0;
    // The body, or what is left of it, follows; `size` is that of the whole, if the server says so.
    virtual void begin(std::optional<std::uint64_t> size) { (void)size; }
};

// Thread-safe; each call blocks its thread. All share connections, which are kept and used again, and one
// thread that moves bytes; sinks and bodies are called in the caller's thread, so that one that is slow holds
// up nobody else. Destroyed when no call is left.
class HttpClient {
  public:
    explicit HttpClient(HttpOptions options = {});
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // Follows redirects (a header "Authorization" stays with its host) and tries again what can pass, as
    // often as HttpOptions::max_attempts says: broken connections, time-outs, 408, 429, 500, 502, 503, 504. A
    // body that broke off goes on where it stopped if the server can do that (If-Range), else the sink
    // restarts. Returns the last response, whatever its status. `body` may be null: the body of a success is
    // then dropped. Throws Unavailable (no connection), TimedOut, Canceled, Denied (certificate), Invalid
    // (URL, too many redirects, body too long, not HTTP), and what sink and request body throw.
    HttpResponse send(const HttpRequest& request, HttpSink* body, const base::CancelToken& cancel);

  private:
    struct State;
    HttpOptions options_;
    std::unique_ptr<State> state_;
};

// Throws for a status that is no success: NotFound (404, 410), Denied (401, 403, 407), Unavailable (408, 429,
// 5xx), else Invalid; with the beginning of what the server said.
void require_success(const HttpResponse& response, std::string_view what);

// Can a request that got this status succeed later? 408, 429, 500, 502, 503, 504.
bool may_pass(int status);
// How long the server asks to be left alone: seconds or a date (RFC 9110 §10.2.3).
std::optional<std::chrono::seconds> retry_after(const HttpResponse& response);

// A date of HTTP (RFC 9110 §5.6.7); nullopt for text that is none.
std::optional<base::FileTime> parse_http_date(const std::string& text);

}  // namespace mullion::oci
