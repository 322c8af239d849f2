#include "oci/http_client.hpp"

#include <algorithm>
#include <charconv>
#include <mutex>
#include <set>

#include "base/error.hpp"
#include "base/log.hpp"
#include "oci/http_loop.hpp"
#include "oci/http_transfer.hpp"
#include "oci/http_url.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::chrono::milliseconds kLongestDelay{10'000};
// Of a request that reached nobody (HttpOptions::max_attempts).
constexpr int kUnreachedAttempts = 2;
constexpr std::size_t kShownBody = 300;

bool may_pass(CURLcode code) {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
        case CURLE_OPERATION_TIMEDOUT:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_PARTIAL_FILE:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return true;
        default:
            return false;
    }
}

// Did the request certainly not reach the server?
bool not_sent(CURLcode code) {
    return code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_COULDNT_RESOLVE_HOST ||
           code == CURLE_COULDNT_CONNECT;
}

ErrorCode code_of(CURLcode code) {
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return ErrorCode::TimedOut;
        case CURLE_PEER_FAILED_VERIFICATION:
            return ErrorCode::Denied;
        case CURLE_OUT_OF_MEMORY:
            return ErrorCode::Exhausted;
        default:
            return may_pass(code) ? ErrorCode::Unavailable : ErrorCode::Invalid;
    }
}

base::Error failure(const HttpTransfer& transfer, CURLcode code, const HttpRequest& request) {
    base::Error error =
        fail(code_of(code), "{} {}: {}", request.method, redacted_url(request.url), transfer.problem(code));
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE) {
        error.hint(
            "if the server's certificate is signed by an authority of your own, name it with --ca-file");
    } else if (not_sent(code)) {
        error.hint("check the host's name, the network and the proxy variables (https_proxy, no_proxy)");
    }
    return error;
}

// What a broken-off body can go on under: only a strong validator says that the rest is the rest of the same.
std::string range_validator(const HttpResponse& response) {
    auto etag = response.header("etag");
    bool ranges = response.header("accept-ranges") == "bytes";
    return response.success() && ranges && etag && etag->starts_with('"') ? *etag : "";
}

}  // namespace

bool may_pass(int status) {
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

std::optional<std::chrono::seconds> retry_after(const HttpResponse& response) {
    auto text = response.header("retry-after");
    if (!text) return {};
    unsigned seconds = 0;
    auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
    if (error == std::errc() && end == text->data() + text->size()) return std::chrono::seconds(seconds);
    auto date = parse_http_date(*text);
    if (!date) return {};
    return std::chrono::seconds(std::max<std::int64_t>(0, date->seconds() - base::FileTime::now().seconds()));
}

std::optional<std::string> HttpResponse::header(std::string_view name) const {
    for (const auto& [key, value] : headers) {
        if (key == name) return value;
    }
    return {};
}

struct HttpClient::State {
    std::mutex mutex;
    std::unique_ptr<HttpLoop> loop;  // from the first request on: most commands have none
    std::set<std::string> answered;  // origins

    HttpLoop& running_loop() {
        std::lock_guard lock(mutex);
        if (!loop) loop = std::make_unique<HttpLoop>();
        return *loop;
    }
    void note_answer(const std::string& url) {
        std::lock_guard lock(mutex);
        answered.insert(url_origin(url));
    }
    bool has_answered(const std::string& url) {
        std::lock_guard lock(mutex);
        return answered.contains(url_origin(url));
    }
};

HttpClient::HttpClient(HttpOptions options)
    : options_(std::move(options)), state_(std::make_unique<State>()) {}

HttpClient::~HttpClient() = default;

HttpResponse HttpClient::send(const HttpRequest& request, HttpSink* body, const base::CancelToken& cancel) {
    HttpLoop& loop = state_->running_loop();
    HttpTransfer::Resume resume{request.offset, ""};
    std::chrono::milliseconds delay = options_.retry_delay;
    for (int attempt = 1;; ++attempt) {
        cancel.check();
        bool last = request.single_attempt || attempt >= options_.max_attempts;
        std::chrono::milliseconds wait = delay;
        HttpTransfer transfer(loop, options_, request, body, resume);
        CURLcode code = transfer.run(cancel);
        if (code == CURLE_OK) {
            state_->note_answer(request.url);
            const HttpResponse& response = transfer.response();
            auto asked = retry_after(response);
            bool patient = !asked || *asked <= options_.max_retry_after;
            bool repeatable = request.repeatable || response.status == 429 || response.status == 503;
            if (last || !patient || !repeatable || !may_pass(response.status)) return response;
            if (asked) wait = *asked;
            base::log("http").info("{}: status {}, trying again", redacted_url(request.url), response.status);
        } else {
            bool repeatable = request.repeatable || not_sent(code);
            bool hopeless =
                not_sent(code) && attempt >= kUnreachedAttempts && !state_->has_answered(request.url);
            if (last || hopeless || !repeatable || !may_pass(code)) throw failure(transfer, code, request);
            base::log("http").info("{}: {}, trying again", redacted_url(request.url), transfer.problem(code));
            resume = {transfer.position(), range_validator(transfer.response())};
            if (!request.immutable && resume.validator.empty() && resume.offset > 0) {
                if (body != nullptr) body->restart();
                resume.offset = 0;
            }
        }
        if (cancel.wait_for(wait)) cancel.check();
        delay = std::min(delay * 2, kLongestDelay);
    }
}

void require_success(const HttpResponse& response, std::string_view what) {
    if (response.success()) return;
    ErrorCode code = ErrorCode::Invalid;
    if (response.status == 404 || response.status == 410) code = ErrorCode::NotFound;
    if (response.status == 401 || response.status == 403 || response.status == 407) code = ErrorCode::Denied;
    if (may_pass(response.status) || response.status >= 500) code = ErrorCode::Unavailable;
    std::string said;
    for (char c : response.error_body.substr(0, kShownBody)) {
        said += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
    }
    throw fail(code, "{}: the server answered with status {}{}{}", what, response.status,
               said.empty() ? "" : ": ", said);
}

std::optional<base::FileTime> parse_http_date(const std::string& text) {
    std::time_t seconds = curl_getdate(text.c_str(), nullptr);
    if (seconds < 0) return {};
    return base::FileTime::from_seconds(seconds);
}

}  // namespace mullion::oci
