#include "oci/http_transfer.hpp"

#include <algorithm>
#include <charconv>

#include "base/error.hpp"
#include "oci/http_url.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::size_t kMaxErrorBody = 64 * 1024;
constexpr std::size_t kMaxHeaders = 256 * 1024;
constexpr int kPollMilliseconds = 1000;

void initialise_library() {
    static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (code != CURLE_OK) throw fail(ErrorCode::Internal, "libcurl: {}", curl_easy_strerror(code));
}

template <typename T>
void set(CURL* easy, CURLoption option, T value) {
    CURLcode code = curl_easy_setopt(easy, option, value);
    if (code != CURLE_OK) throw fail(ErrorCode::Internal, "libcurl: {}", curl_easy_strerror(code));
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    return out;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

HttpChannel::HttpChannel() {
    initialise_library();
    multi_ = curl_multi_init();
    easy_ = curl_easy_init();
    if (multi_ == nullptr || easy_ == nullptr) throw fail(ErrorCode::Exhausted, "libcurl: out of memory");
}

HttpChannel::~HttpChannel() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
}

CURLcode HttpChannel::perform(const base::CancelToken& cancel) {
    auto wake = cancel.on_cancel([this] { curl_multi_wakeup(multi_); });
    curl_multi_add_handle(multi_, easy_);
    CURLcode result = CURLE_OK;
    try {
        for (int running = 1; running > 0;) {
            cancel.check();
            CURLMcode code = curl_multi_perform(multi_, &running);
            if (code == CURLM_OK && running > 0) {
                code = curl_multi_poll(multi_, nullptr, 0, kPollMilliseconds, nullptr);
            }
            if (code != CURLM_OK) throw fail(ErrorCode::Internal, "libcurl: {}", curl_multi_strerror(code));
        }
    } catch (...) {
        curl_multi_remove_handle(multi_, easy_);
        throw;
    }
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
        if (message->msg == CURLMSG_DONE) result = message->data.result;
    }
    curl_multi_remove_handle(multi_, easy_);
    return result;
}

HttpTransfer::HttpTransfer(HttpChannel& channel, const HttpOptions& options, const HttpRequest& request,
                           HttpSink* sink, Resume resume)
    : channel_(channel),
      request_(request),
      sink_(sink),
      resume_(std::move(resume)),
      settings_(channel.easy()),
      position_(resume_.offset) {
    set_request(options);
    set_body();
}

HttpTransfer::Settings::~Settings() {
    curl_easy_reset(easy);
    curl_slist_free_all(headers);
}

void HttpTransfer::set_request(const HttpOptions& options) {
    CURL* easy = channel_.easy();
    set(easy, CURLOPT_URL, request_.url.c_str());
    set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set(easy, CURLOPT_FOLLOWLOCATION, request_.follow_redirects ? 1L : 0L);
    set(easy, CURLOPT_MAXREDIRS, static_cast<long>(options.max_redirects));
    set(easy, CURLOPT_NOSIGNAL, 1L);
    set(easy, CURLOPT_ERRORBUFFER, text_);
    set(easy, CURLOPT_USERAGENT, options.user_agent.c_str());
    set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options.connect_timeout.count()));
    set(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    set(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_timeout.count()));
    set_tls(options);
    set(easy, CURLOPT_HEADERFUNCTION, header_callback);
    set(easy, CURLOPT_HEADERDATA, this);
    set(easy, CURLOPT_WRITEFUNCTION, write_callback);
    set(easy, CURLOPT_WRITEDATA, this);
    for (const auto& [name, value] : request_.headers) {
        settings_.headers = curl_slist_append(settings_.headers, (name + ": " + value).c_str());
    }
    if (resume_.offset > 0) {
        if (!resume_.validator.empty()) {
            settings_.headers =
                curl_slist_append(settings_.headers, ("If-Range: " + resume_.validator).c_str());
        }
        set(easy, CURLOPT_RANGE, (std::to_string(resume_.offset) + "-").c_str());
    }
}

void HttpTransfer::set_tls(const HttpOptions& options) {
    CURL* easy = channel_.easy();
    if (!options.ca_certificates.empty()) {
        // The directory of the system's certificates stays in force beside it.
        std::string pem = options.ca_certificates;
        curl_blob blob{pem.data(), pem.size(), CURL_BLOB_COPY};
        set(easy, CURLOPT_CAINFO_BLOB, &blob);
    } else if (!options.ca_file.empty()) {
        set(easy, CURLOPT_CAINFO, options.ca_file.c_str());
    }
    if (!options.client_certificate.empty()) set(easy, CURLOPT_SSLCERT, options.client_certificate.c_str());
    if (!options.client_key.empty()) set(easy, CURLOPT_SSLKEY, options.client_key.c_str());
    if (!options.verify_server) {
        set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
}

void HttpTransfer::set_body() {
    CURL* easy = channel_.easy();
    if (request_.body) {
        body_ = request_.body();
        set(easy, CURLOPT_UPLOAD, 1L);
        set(easy, CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(request_.body_size));
        set(easy, CURLOPT_READFUNCTION, read_callback);
        set(easy, CURLOPT_READDATA, this);
        set(easy, CURLOPT_SEEKFUNCTION, seek_callback);
        set(easy, CURLOPT_SEEKDATA, this);
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
    set(easy, CURLOPT_HTTPHEADER, settings_.headers);
}

CURLcode HttpTransfer::run(const base::CancelToken& cancel) {
    CURLcode code = channel_.perform(cancel);
    if (code == CURLE_OK) begin_body();  // an empty body never came to the write callback
    char* url = nullptr;
    curl_easy_getinfo(channel_.easy(), CURLINFO_EFFECTIVE_URL, &url);
    if (url != nullptr) response_.url = url;
    return code;
}

std::string HttpTransfer::problem(CURLcode code) const {
    std::string text = text_[0] != '\0' ? text_ : curl_easy_strerror(code);
    while (text.ends_with('\n') || text.ends_with('.')) text.pop_back();
    return text;
}

void HttpTransfer::rethrow() const {
    if (error_) std::rethrow_exception(error_);
}

void HttpTransfer::on_header(std::string_view line) {
    header_bytes_ += line.size();
    if (header_bytes_ > kMaxHeaders) {
        throw fail(ErrorCode::Invalid, "the headers are larger than {} bytes", kMaxHeaders);
    }
    if (line.starts_with("HTTP/")) {  // of a redirect, an interim or the final response
        response_.headers.clear();
        header_bytes_ = line.size();
        return;
    }
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    response_.headers.emplace_back(lower(trimmed(line.substr(0, colon))),
                                   std::string(trimmed(line.substr(colon + 1))));
}

// The final response's headers are complete.
void HttpTransfer::begin_body() {
    if (std::exchange(in_body_, true)) return;
    long status = 0;
    curl_easy_getinfo(channel_.easy(), CURLINFO_RESPONSE_CODE, &status);
    response_.status = static_cast<int>(status);
    if (!response_.success()) return;
    bool continued = response_.status == 206 && resume_.offset > 0;
    if (continued) {
        std::string range = response_.header("content-range").value_or("");
        if (!range.starts_with("bytes " + std::to_string(resume_.offset) + "-")) {
            throw fail(ErrorCode::Invalid, "asked for bytes from {}, the server sends \"{}\"", resume_.offset,
                       range);
        }
    } else if (position_ > 0) {
        position_ = 0;
        if (sink_ != nullptr) sink_->restart();
    }
    curl_off_t length = -1;
    curl_easy_getinfo(channel_.easy(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (request_.method == "HEAD") return;
    if (sink_ != nullptr)
        sink_->begin(length < 0 ? std::nullopt
                                : std::optional(position_ + static_cast<std::uint64_t>(length)));
    if (length < 0) return;
    if (position_ + static_cast<std::uint64_t>(length) > request_.max_body) {
        throw fail(ErrorCode::Invalid, "the response has {} bytes, more than the {} allowed",
                   position_ + static_cast<std::uint64_t>(length), request_.max_body);
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

std::size_t HttpTransfer::read_body(char* buffer, std::size_t size) {
    return body_->read(buffer, size);
}

// Exceptions must not pass through libcurl: they are kept, and the transfer is given up.

std::size_t HttpTransfer::header_callback(char* data, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<HttpTransfer*>(self);
    try {
        transfer->on_header({data, size * count});
        return size * count;
    } catch (...) {
        transfer->error_ = std::current_exception();
        return 0;
    }
}

std::size_t HttpTransfer::write_callback(char* data, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<HttpTransfer*>(self);
    try {
        transfer->on_body({data, size * count});
        return size * count;
    } catch (...) {
        transfer->error_ = std::current_exception();
        return CURL_WRITEFUNC_ERROR;
    }
}

std::size_t HttpTransfer::read_callback(char* data, std::size_t size, std::size_t count, void* self) {
    auto* transfer = static_cast<HttpTransfer*>(self);
    try {
        return transfer->read_body(data, size * count);
    } catch (...) {
        transfer->error_ = std::current_exception();
        return CURL_READFUNC_ABORT;
    }
}

// libcurl rewinds a body to send it again, after a redirect or on a stale connection.
int HttpTransfer::seek_callback(void* self, curl_off_t offset, int origin) {
    auto* transfer = static_cast<HttpTransfer*>(self);
    if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    try {
        transfer->body_ = transfer->request_.body();
        return CURL_SEEKFUNC_OK;
    } catch (...) {
        transfer->error_ = std::current_exception();
        return CURL_SEEKFUNC_FAIL;
    }
}

}  // namespace mullion::oci
