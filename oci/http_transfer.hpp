// One exchange with a server: what HttpClient repeats. Internal to the room.
#pragma once

#include <curl/curl.h>

#include <exception>
#include <memory>

#include "oci/http_client.hpp"

namespace mullion::oci {

// A connection (or several, after redirects) and what drives it. Used by one thread at a time.
class HttpChannel {
  public:
    HttpChannel();
    ~HttpChannel();
    HttpChannel(const HttpChannel&) = delete;
    HttpChannel& operator=(const HttpChannel&) = delete;

    CURL* easy() const { return easy_; }
    // Runs what was set on easy(). Throws Canceled.
    CURLcode perform(const base::CancelToken& cancel);

  private:
    CURLM* multi_;
    CURL* easy_;
};

class HttpTransfer {
  public:
    // Skips to `offset` of the body with a range request that holds only for what `validator` names (empty:
    // for whatever is there).
    struct Resume {
        std::uint64_t offset = 0;
        std::string validator;
    };

    HttpTransfer(HttpChannel& channel, const HttpOptions& options, const HttpRequest& request, HttpSink* sink,
                 Resume resume);
    HttpTransfer(const HttpTransfer&) = delete;
    HttpTransfer& operator=(const HttpTransfer&) = delete;

    CURLcode run(const base::CancelToken& cancel);

    const HttpResponse& response() const { return response_; }
    // How much of the body the sink has, whatever attempt it came from.
    std::uint64_t position() const { return position_; }
    // libcurl's words for what went wrong.
    std::string problem(CURLcode code) const;
    // What a callback threw, or refused the response for.
    void rethrow() const;

  private:
    // What is set on the channel's handle goes with the transfer, even with one that could not be set up;
    // connections stay with the channel.
    struct Settings {
        explicit Settings(CURL* handle) : easy(handle) {}
        ~Settings();
        Settings(const Settings&) = delete;
        Settings& operator=(const Settings&) = delete;
        CURL* easy;
        curl_slist* headers = nullptr;
    };

    void set_request(const HttpOptions& options);
    void set_tls(const HttpOptions& options);
    void set_body();
    void on_header(std::string_view line);
    void on_body(std::string_view data);
    void begin_body();
    std::size_t read_body(char* buffer, std::size_t size);

    static std::size_t header_callback(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t write_callback(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t read_callback(char* data, std::size_t size, std::size_t count, void* self);
    static int seek_callback(void* self, curl_off_t offset, int origin);

    HttpChannel& channel_;
    const HttpRequest& request_;
    HttpSink* sink_;
    Resume resume_;
    Settings settings_;
    std::unique_ptr<base::Source> body_;
    HttpResponse response_;
    bool in_body_ = false;
    std::uint64_t position_;
    std::size_t header_bytes_ = 0;
    std::exception_ptr error_;
    char text_[CURL_ERROR_SIZE] = "";
};

}  // namespace mullion::oci
