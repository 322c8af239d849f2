// A named piece of work inside a vertex, for the displays.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "base/progress.hpp"

namespace mullion::worker {

// Announced when constructed; done() or destruction ends it (a status that stays open would hide its vertex'
// own end, buildkit-api.md §7).
class Status {
  public:
    Status(base::ProgressSink& progress, const base::Digest& vertex, std::string id)
        : progress_(progress), event_{vertex, std::move(id), 0, 0, base::FileTime::now(), {}, {}} {
        event_.started = event_.timestamp;
        progress_.emit(event_);
    }
    ~Status() { done(); }
    Status(const Status&) = delete;
    Status& operator=(const Status&) = delete;

    // Byte counts. What comes faster than anybody reads is left out, except the last.
    void expect(std::uint64_t total) { event_.total = static_cast<std::int64_t>(total); }
    void update(std::uint64_t current) {
        event_.current = static_cast<std::int64_t>(current);
        base::FileTime now = base::FileTime::now();
        if (now.ticks - event_.timestamp.ticks < kGap) return;
        event_.timestamp = now;
        progress_.emit(event_);
    }

    void done() {
        if (event_.completed) return;
        event_.timestamp = base::FileTime::now();
        event_.completed = event_.timestamp;
        progress_.emit(event_);
    }

  private:
    static constexpr std::int64_t kGap = base::FileTime::kTicksPerSecond / 10;

    base::ProgressSink& progress_;
    base::StatusEvent event_;
};

}  // namespace mullion::worker
