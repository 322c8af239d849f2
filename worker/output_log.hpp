// What a RUN prints: events for the displays, and its tail for the error message.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/progress.hpp"
#include "base/stream.hpp"

namespace mullion::worker {

// The end of both streams, as they came. Thread-safe.
class OutputTail {
  public:
    void add(std::string_view data);
    std::string text() const;  // whole lines, as far as they fit

  private:
    mutable std::mutex mutex_;
    std::string text_;
    bool cut_ = false;
};

// One stream of a vertex. References must outlive it.
class OutputLog final : public base::Sink {
  public:
    OutputLog(base::ProgressSink& progress, const base::Digest& vertex, int stream, OutputTail& tail)
        : progress_(progress), vertex_(vertex), stream_(stream), tail_(tail) {}
    void write(std::string_view data) override;

  private:
    base::ProgressSink& progress_;
    base::Digest vertex_;
    int stream_;
    OutputTail& tail_;
};

}  // namespace mullion::worker
