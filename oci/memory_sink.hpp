// A small body of HTTP, kept. Internal to the room.
#pragma once

#include <string>
#include <utility>

#include "oci/http_client.hpp"

namespace mullion::oci {

// The request's max_body bounds it.
class MemorySink final : public HttpSink {
  public:
    void write(std::string_view data) override { text_ += data; }
    void restart() override { text_.clear(); }
    const std::string& text() const { return text_; }
    std::string take() { return std::move(text_); }

  private:
    std::string text_;
};

}  // namespace mullion::oci
