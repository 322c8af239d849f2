// One exchange with a server: what HttpClient repeats. Internal to the room.
#pragma once

#include <curl/curl.h>

#include <memory>

#include "oci/http_client.hpp"
#include "oci/http_loop.hpp"
#include "oci/http_stream.hpp"

namespace mullion::oci {

using HeaderList = std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)>;

class HttpTransfer {
  public:
    // Skips to `offset` of the body with a range request that holds only for what `validator` names (empty:
    // for whatever is there).
    struct Resume {
        std::uint64_t offset = 0;
        std::string validator;
    };

    HttpTransfer(HttpLoop& loop, const HttpOptions& options, const HttpRequest& request, HttpSink* sink,
                 Resume resume);
    HttpTransfer(const HttpTransfer&) = delete;
    HttpTransfer& operator=(const HttpTransfer&) = delete;

    // Throws Canceled, what source and sink throw, and Invalid for a response that is refused.
    CURLcode run(const base::CancelToken& cancel);

    const HttpResponse& response() const { return response_; }
    // How much of the body the sink has, whatever attempt it came from.
    std::uint64_t position() const { return position_; }
    // Words for what went wrong.
    std::string problem(CURLcode code) const { return stream_.problem(code); }

  private:
    void set_request(const HttpOptions& options);
    void set_headers();
    void set_tls(const HttpOptions& options);
    void set_body();
    void on_body(std::string_view data);
    void begin_body();
    bool asks_for_part() const;
    std::uint64_t first_byte() const;  // of the resource, that is asked for
    std::string next_piece();

    const HttpRequest& request_;
    HttpSink* sink_;
    Resume resume_;
    std::unique_ptr<base::Source> body_;
    HttpResponse response_;
    bool in_body_ = false;
    std::uint64_t position_;
    HeaderList headers_{nullptr, &curl_slist_free_all};
    HttpStream stream_;
};

}  // namespace mullion::oci
