// The progress of one blob on its way: a status of a vertex, with bytes.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <utility>

#include "base/progress.hpp"

namespace mullion::oci {

// Where transfers are shown.
struct TransferReport {
    base::ProgressSink& progress;
    base::Digest vertex;
};

// Announced when constructed; ended by done() or destruction. For one thread at a time. Tells of bytes a few
// times a second, not of each buffer.
class TransferStatus {
  public:
    TransferStatus(const TransferReport& report, std::string id, std::uint64_t total);
    ~TransferStatus() { done(); }
    TransferStatus(const TransferStatus&) = delete;
    TransferStatus& operator=(const TransferStatus&) = delete;

    void move_to(std::uint64_t bytes);
    void advance(std::uint64_t bytes) { move_to(static_cast<std::uint64_t>(event_.current) + bytes); }
    void done() { done_as({}); }
    // Ends it without bytes having moved: "exists", "mounted".
    void done_as(std::string name);

  private:
    using Clock = std::chrono::steady_clock;
    void emit();

    base::ProgressSink& progress_;
    base::StatusEvent event_;
    Clock::time_point shown_;
};

}  // namespace mullion::oci
