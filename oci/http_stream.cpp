#include "oci/http_stream.hpp"

#include <algorithm>
#include <cstring>

#include "base/ascii.hpp"
#include "base/error.hpp"

namespace mullion::oci {
namespace {

constexpr std::size_t kMaxHeaders = 256 * 1024;

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlank = " \t\r\n";
    std::size_t first = text.find_first_not_of(kBlank);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

}  // namespace

HttpStream::HttpStream(HttpLoop& loop, std::chrono::seconds stall_timeout, std::size_t held)
    : loop_(loop), stall_timeout_(stall_timeout), held_(held), easy_(curl_easy_init()) {
    if (easy_ == nullptr) throw base::fail(base::ErrorCode::Exhausted, "libcurl: out of memory");
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, text_);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, header_callback);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, write_callback);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
    curl_easy_setopt(easy_, CURLOPT_READFUNCTION, read_callback);
    curl_easy_setopt(easy_, CURLOPT_READDATA, this);
    curl_easy_setopt(easy_, CURLOPT_SEEKFUNCTION, seek_callback);
    curl_easy_setopt(easy_, CURLOPT_SEEKDATA, this);
    curl_easy_setopt(easy_, CURLOPT_PREREQFUNCTION, connected_callback);
    curl_easy_setopt(easy_, CURLOPT_PREREQDATA, this);
    curl_easy_setopt(easy_, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy_, CURLOPT_XFERINFOFUNCTION, moved_callback);
    curl_easy_setopt(easy_, CURLOPT_XFERINFODATA, this);
}

HttpStream::~HttpStream() {
    if (started_) end();
    curl_easy_cleanup(easy_);
}

void HttpStream::start(bool has_body, const base::CancelToken& cancel) {
    has_body_ = has_body;
    cancel_ = cancel;
    wake_ = cancel.on_cancel([this] {
        std::lock_guard lock(mutex_);
        news_.notify_all();
    });
    loop_.start(*this);
    started_ = true;
}

HttpStream::Turn HttpStream::next() {
    taken_.clear();
    std::unique_lock lock(mutex_);
    wait(lock);
    cancel_.check();
    if (error_) std::rethrow_exception(error_);
    taken_.swap(received_);
    Turn turn{taken_, std::exchange(rewound_, false), wants(), stalled_ || code_.has_value()};
    bool resume = std::exchange(receiving_paused_, false);
    lock.unlock();
    if (resume) loop_.resume(*this);
    return turn;
}

// Here the waiting thread holds nothing up, so that it is the time spent here that counts against the
// server. (libcurl's own limit, CURLOPT_LOW_SPEED_TIME, runs while a body waits for us to be sent.)
void HttpStream::wait(std::unique_lock<std::mutex>& lock) {
    const Clock::time_point start = Clock::now();
    while (!has_news() && !cancel_.canceled()) {
        Clock::time_point moved{Clock::duration(moved_)};
        bool connected = moved != Clock::time_point();
        Clock::time_point deadline = (connected ? std::max(start, moved) : Clock::now()) + stall_timeout_;
        stalled_ = connected && Clock::now() >= deadline;
        if (stalled_) return;
        news_.wait_until(lock, deadline);
    }
}

void HttpStream::give(std::string piece) {
    bool resume = false;
    {
        std::lock_guard lock(mutex_);
        if (rewound_) return;  // meanwhile
        complete_ = piece.empty();
        given_ = std::move(piece);
        resume = std::exchange(sending_paused_, false);
    }
    if (resume) loop_.resume(*this);
}

CURLcode HttpStream::end() {
    std::unique_lock lock(mutex_);
    if (!code_) loop_.give_up(*this);
    news_.wait(lock, [this] { return code_.has_value(); });
    return stalled_ ? CURLE_OPERATION_TIMEDOUT : *code_;
}

std::string HttpStream::problem(CURLcode code) const {
    if (stalled_) return fmt::format("nothing was sent or received for {} s", stall_timeout_.count());
    std::string text = text_[0] != '\0' ? text_ : curl_easy_strerror(code);
    while (text.ends_with('\n') || text.ends_with('.')) text.pop_back();
    return text;
}

void HttpStream::finished(CURLcode code) noexcept {
    if (code == CURLE_OK) begin_body();  // an empty one never came to the write callback
    // Under the lock: as soon as it is free, the stream may be gone.
    std::lock_guard lock(mutex_);
    code_ = code;
    news_.notify_all();
}

void HttpStream::on_header(std::string_view line) {
    if (in_body_) return;  // a trailer: nothing here has a use for one
    note_move();
    header_bytes_ += line.size();
    if (header_bytes_ > kMaxHeaders) {
        throw base::fail(base::ErrorCode::Invalid, "the headers are larger than {} bytes", kMaxHeaders);
    }
    if (line.starts_with("HTTP/")) {  // of a redirect, an interim or the final response
        head_.headers.clear();
        header_bytes_ = line.size();
        return;
    }
    std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return;
    head_.headers.emplace_back(base::lower_ascii(trimmed(line.substr(0, colon))),
                               std::string(trimmed(line.substr(colon + 1))));
}

// The final response's headers are complete.
void HttpStream::begin_body() {
    if (std::exchange(in_body_, true)) return;
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    head_.status = static_cast<int>(status);
    curl_off_t length = -1;
    curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length >= 0) head_.length = static_cast<std::uint64_t>(length);
}

std::size_t HttpStream::on_body(std::string_view data) {
    begin_body();
    bool first = false;
    {
        std::lock_guard lock(mutex_);
        first = received_.empty();
        if (!first && received_.size() + data.size() > held_) {
            receiving_paused_ = true;
            return CURL_WRITEFUNC_PAUSE;
        }
        received_ += data;
    }
    if (first) news_.notify_all();
    return data.size();
}

std::size_t HttpStream::on_wanted(char* buffer, std::size_t size) {
    if (sent_ == sending_.size()) {
        sending_.clear();
        sent_ = 0;
        std::lock_guard lock(mutex_);
        sending_.swap(given_);
        news_.notify_all();
        if (sending_.empty()) {
            if (complete_) return 0;
            sending_paused_ = true;
            return CURL_READFUNC_PAUSE;
        }
    }
    std::size_t count = std::min(size, sending_.size() - sent_);
    std::memcpy(buffer, sending_.data() + sent_, count);
    sent_ += count;
    return count;
}

void HttpStream::on_rewind() {
    sending_.clear();
    sent_ = 0;
    std::lock_guard lock(mutex_);
    given_.clear();
    complete_ = false;
    rewound_ = true;
    news_.notify_all();
}

// Exceptions must not pass through libcurl: they are kept, and the transfer fails with `result`.
std::size_t HttpStream::fail(std::size_t result) {
    std::lock_guard lock(mutex_);
    error_ = std::current_exception();
    return result;
}

std::size_t HttpStream::header_callback(char* data, std::size_t size, std::size_t count, void* self) {
    auto* stream = static_cast<HttpStream*>(self);
    try {
        stream->on_header({data, size * count});
        return size * count;
    } catch (...) {
        return stream->fail(0);
    }
}

std::size_t HttpStream::write_callback(char* data, std::size_t size, std::size_t count, void* self) {
    auto* stream = static_cast<HttpStream*>(self);
    try {
        return stream->on_body({data, size * count});
    } catch (...) {
        return stream->fail(CURL_WRITEFUNC_ERROR);
    }
}

std::size_t HttpStream::read_callback(char* data, std::size_t size, std::size_t count, void* self) {
    return static_cast<HttpStream*>(self)->on_wanted(data, size * count);
}

// libcurl rewinds a body to send it again, after a redirect or on a stale connection.
int HttpStream::seek_callback(void* self, curl_off_t offset, int origin) {
    if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
    static_cast<HttpStream*>(self)->on_rewind();
    return CURL_SEEKFUNC_OK;
}

int HttpStream::connected_callback(void* self, char*, char*, int, int) {
    static_cast<HttpStream*>(self)->note_move();
    return CURL_PREREQFUNC_OK;
}

int HttpStream::moved_callback(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent) {
    auto* stream = static_cast<HttpStream*>(self);
    // Less than before after a redirect.
    if (std::exchange(stream->moved_bytes_, received + sent) != received + sent) stream->note_move();
    return 0;
}

}  // namespace mullion::oci
