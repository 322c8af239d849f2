// Where the loop's thread and the thread that waits for a transfer meet: headers and bodies on their way from
// one to the other. Internal to the room.
//
// libcurl calls the one side, which never waits: it pauses the transfer when a buffer is full (or, of a
// request's body, empty). The waiting thread takes, gives, and lets the transfer go on.
#pragma once

#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/cancel.hpp"
#include "oci/http_client.hpp"
#include "oci/http_loop.hpp"

namespace mullion::oci {

class HttpStream final : private HttpLoop::Job {
  public:
    // Held on its way in one direction: half of it by either side.
    static constexpr std::size_t kBuffer = 1 << 20;

    // `held`: how much of a response's body may wait for its reader. Throws Exhausted.
    HttpStream(HttpLoop& loop, std::chrono::seconds stall_timeout, std::size_t held = kBuffer / 2);
    // Gives up what still runs.
    ~HttpStream() override;
    HttpStream(const HttpStream&) = delete;
    HttpStream& operator=(const HttpStream&) = delete;

    // For options before start() and questions after end(). The callbacks are set.
    CURL* easy() const override { return easy_; }

    // `has_body`: the request has a body, which give() brings.
    void start(bool has_body, const base::CancelToken& cancel);

    // What there is to do for the waiting thread.
    struct Turn {
        std::string_view received;  // of the response's body; good until the next turn
        bool rewound = false;       // the request's body is wanted anew, from its first byte
        bool wanted = false;        // there is room for the next piece of it
        bool finished = false;      // this was the last turn
    };
    // Waits for one. Throws Canceled, and Invalid for headers beyond bounds.
    Turn next();
    // The next piece of the request's body, at most kBuffer / 2; an empty one ends it.
    void give(std::string piece);
    // After the last turn: how it ended.
    CURLcode end();

    struct Head {
        int status = 0;
        HttpHeaders headers;                  // names in lower case
        std::optional<std::uint64_t> length;  // of what follows, if the server says so
    };
    // Of the final response: once something of its body was received, or at a good end.
    const Head& head() const { return head_; }
    // Words for what went wrong.
    std::string problem(CURLcode code) const;

  private:
    using Clock = std::chrono::steady_clock;

    // Of the loop's thread.
    void finished(CURLcode code) noexcept override;
    void on_header(std::string_view line);
    void begin_body();
    std::size_t on_body(std::string_view data);
    std::size_t on_wanted(char* buffer, std::size_t size);
    void on_rewind();
    std::size_t fail(std::size_t result);
    static std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t write_callback(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t read_callback(char* data, std::size_t size, std::size_t count, void* self);
    static int seek_callback(void* self, curl_off_t offset, int origin);
    static int connected_callback(void* self, char*, char*, int, int);
    static int moved_callback(void* self, curl_off_t, curl_off_t received, curl_off_t, curl_off_t sent);
    void note_move() { moved_ = Clock::now().time_since_epoch().count(); }

    // Of the waiting thread, under the lock.
    bool wants() const { return has_body_ && !complete_ && given_.empty() && !code_; }
    bool has_news() const { return !received_.empty() || rewound_ || wants() || code_; }
    void wait(std::unique_lock<std::mutex>& lock);

    HttpLoop& loop_;
    const std::chrono::seconds stall_timeout_;
    const std::size_t held_;
    CURL* easy_;

    // The waiting thread's own.
    base::CancelToken cancel_;
    bool started_ = false;
    bool has_body_ = false;
    bool stalled_ = false;
    std::string taken_;

    // The loop's thread's own; the head is left alone once something was received.
    Head head_;
    bool in_body_ = false;
    std::size_t header_bytes_ = 0;
    std::string sending_;
    std::size_t sent_ = 0;  // of `sending_`
    curl_off_t moved_bytes_ = 0;
    char text_[CURL_ERROR_SIZE] = "";

    // When something last moved; 0 before there is a connection, which libcurl sets a time for.
    std::atomic<Clock::rep> moved_ = 0;

    std::mutex mutex_;
    std::condition_variable news_;
    std::string received_;
    bool receiving_paused_ = false;
    std::string given_;
    bool complete_ = false;  // the request's body was given to its end
    bool sending_paused_ = false;
    bool rewound_ = false;
    std::optional<CURLcode> code_;
    std::exception_ptr error_;

    base::CancelToken::Registration wake_;
};

}  // namespace mullion::oci
