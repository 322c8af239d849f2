#include "oci/http_transfer.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "oci/http_url.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxErrorBody = 64 * 1024;
// A response of this size is held as a whole if need be: documents.
constexpr std::size_t kHeldWhole = 4 << 20;
// Of large bodies, at once: fewer calls, and fewer changes of threads.
constexpr long kReadSize = 256 << 10;

template <typename T>
void set(CURL* easy, CURLoption option, T value) {
    CURLcode code = curl_easy_setopt(easy, option, value);
    if (code != CURLE_OK) throw fail(ErrorCode::Internal, "libcurl: {}", curl_easy_strerror(code));
}

void append(HeaderList& list, const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw fail(ErrorCode::Exhausted, "libcurl: out of memory");
    (void)list.release();
    list.reset(longer);
}

// Is this a request whose transfer is never paused?
bool is_small(const HttpRequest& request) {
    return !request.body && (request.method == "HEAD" || request.max_body <= kHeldWhole);
}

}  // namespace

HttpTransfer::HttpTransfer(HttpLoop& loop, const HttpOptions& options, const HttpRequest& request,
                           HttpSink* sink, Resume resume)
    : request_(request),
      sink_(sink),
      resume_(std::move(resume)),
      position_(resume_.offset),
      stream_(loop, options.stall_timeout, is_small(request) ? kHeldWhole : HttpStream::kBuffer / 2) {
    set_request(options);
    set_headers();
    set_tls(options);
    set_body();
}

void HttpTransfer::set_request(const HttpOptions& options) {
    CURL* easy = stream_.easy();
    set(easy, CURLOPT_URL, request_.url.c_str());
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, request_.follow_redirects ? 1L : 0L);
    set(easy, CURLOPT_MAXREDIRS, static_cast<long>(options.max_redirects));
    set(easy, CURLOPT_NOSIGNAL, 1L);
    // Who is given up while a name is looked up must not hold up the loop until it is found.
    set(easy, CURLOPT_QUICK_EXIT, 1L);
    set(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    // Small requests share connections by HTTP/2 where library and server have it: that is the default. Large
    // bodies get a connection each. They are paused while their readers are busy, and while a stream of
    // HTTP/2 is paused, libcurl 7.88 fails the others of its connection with CURLE_HTTP2_STREAM (other
    // versions: curl's issues 9180, 10988, 19334); several connections are faster for them, too. Nor do
    // requests wait for the first connection to show whether it can be shared (CURLOPT_PIPEWAIT): those that
    // are sent at once are few.
    if (!is_small(request_)) {
        set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
        set(easy, CURLOPT_BUFFERSIZE, kReadSize);
    }
    if (asks_for_part()) {
        std::string last =
            request_.range ? std::to_string(request_.range->offset + request_.range->size - 1) : "";
        set(easy, CURLOPT_RANGE, fmt::format("{}-{}", first_byte(), last).c_str());
    }
}

void HttpTransfer::set_headers() {
    for (const auto& [name, value] : request_.headers) append(headers_, name + ": " + value);
    if (resume_.offset > 0 && !resume_.validator.empty()) append(headers_, "If-Range: " + resume_.validator);
    set(stream_.easy(), CURLOPT_HTTPHEADER, headers_.get());
}

void HttpTransfer::set_tls(const HttpOptions& options) {
    CURL* easy = stream_.easy();
    if (!options.ca_certificates.empty()) {
        // The directory of the system's certificates stays in force beside it.
        std::string pem = options.ca_certificates;
        curl_blob blob{pem.data(), pem.size(), CURL_BLOB_COPY};
        set(easy, CURLOPT_CAINFO_BLOB, &blob);
    } else if (!options.ca_file.empty()) {
        set(easy, CURLOPT_CAINFO, options.ca_file.string().c_str());
    }
    if (!options.client_certificate.empty())
        set(easy, CURLOPT_SSLCERT, options.client_certificate.string().c_str());
    if (!options.client_key.empty()) set(easy, CURLOPT_SSLKEY, options.client_key.string().c_str());
    if (!options.verify_server) {
        set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

void HttpTransfer::set_body() {
    CURL* easy = stream_.easy();
    if (request_.body) {
        body_ = request_.body();
        set(easy, CURLOPT_UPLOAD, 1L);
        set(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body_size));
    } else if (request_.method == "HEAD") {
        set(easy, CURLOPT_NOBODY, 1L);
    } else if (request_.method == "POST") {
        set(easy, CURLOPT_POSTFIELDS, "");
        set(easy, CURLOPT_POSTFIELDSIZE, 0L);
    }
    if (request_.method != "GET" && request_.method != "HEAD" && request_.method != "POST") {
        set(easy, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    } else if (request_.body && request_.method == "POST") {
        set(easy, CURLOPT_CUSTOMREQUEST, "POST");
    }
}

CURLcode HttpTransfer::run(const base::CancelToken& cancel) {
    stream_.start(body_ != nullptr, cancel);
    for (bool finished = false; !finished;) {
        HttpStream::Turn turn = stream_.next();
        if (turn.rewound) body_ = request_.body();
        if (turn.wanted) stream_.give(next_piece());
        if (!turn.received.empty()) on_body(turn.received);
        finished = turn.finished;
    }
    CURLcode code = stream_.end();
    if (code == CURLE_OK) begin_body();
    char* url = nullptr;
    curl_easy_getinfo(stream_.easy(), CURLINFO_EFFECTIVE_URL, &url);
    if (url != nullptr) response_.url = url;
    return code;
}

std::string HttpTransfer::next_piece() {
    std::string piece(HttpStream::kBuffer / 2, '\0');
    piece.resize(body_->read(piece.data(), piece.size()));
    return piece;
}

bool HttpTransfer::asks_for_part() const {
    return request_.range || resume_.offset > 0;
}

std::uint64_t HttpTransfer::first_byte() const {
    return (request_.range ? request_.range->offset : 0) + resume_.offset;
}

// The final response's headers are complete.
void HttpTransfer::begin_body() {
    if (std::exchange(in_body_, true)) return;
    response_.status = stream_.head().status;
    response_.headers = stream_.head().headers;
    if (!response_.success()) return;
    if (response_.status == 206 && asks_for_part()) {
        std::string range = response_.header("content-range").value_or("");
        if (!range.starts_with(fmt::format("bytes {}-", first_byte()))) {
            throw fail(ErrorCode::Invalid, "asked for bytes from {}, the server sends \"{}\"", first_byte(),
                       range);
        }
    } else if (request_.range) {
        throw fail(ErrorCode::Unsupported, "asked for a part of the content, the server sends all of it");
    } else if (position_ > 0) {
        position_ = 0;
        if (sink_ != nullptr) sink_->restart();
    }
    if (request_.method == "HEAD") return;
    std::optional<std::uint64_t> size = stream_.head().length;
    if (size) *size += position_;
    if (sink_ != nullptr) sink_->begin(size);
    if (size && *size > request_.max_body) {
        throw fail(ErrorCode::Invalid, "the response has {} bytes, more than the {} allowed", *size,
                   request_.max_body);
    }
}

void HttpTransfer::on_body(std::string_view data) {
    begin_body();
    if (!response_.success()) {
        response_.error_body +=
            data.substr(0, kMaxErrorBody - std::min(kMaxErrorBody, response_.error_body.size()));
        return;
    }
    if (data.size() > request_.max_body - std::min(position_, request_.max_body)) {
        throw fail(ErrorCode::Invalid, "the response has more than the {} bytes allowed", request_.max_body);
    }
    if (sink_ != nullptr) sink_->write(data);
    position_ += data.size();
}

}  // namespace mullion::oci
