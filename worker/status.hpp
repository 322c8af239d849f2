// A named piece of work inside a vertex, for the displays.
#pragma once

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

    void done() {
        if (event_.completed) return;
        event_.timestamp = base::FileTime::now();
        event_.completed = event_.timestamp;
        progress_.emit(event_);
    }

  private:
    base::ProgressSink& progress_;
    base::StatusEvent event_;
};

}  // namespace mullion::worker
