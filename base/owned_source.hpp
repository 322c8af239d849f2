// Bytes in memory as a Source that keeps them.
#pragma once

#include <string>
#include <utility>

#include "base/stream.hpp"

namespace mullion::base {

class OwnedSource final : public Source {
  public:
    explicit OwnedSource(std::string bytes) : bytes_(std::move(bytes)), view_(bytes_) {}
    std::size_t read(char* buffer, std::size_t size) override { return view_.read(buffer, size); }

  private:
    std::string bytes_;
    MemorySource view_;
};

}  // namespace mullion::base
