#include "cli/progress_vertex.hpp"

namespace mullion::cli {

ProgressVertex::ProgressVertex(base::ProgressSink& progress, std::string name)
    : progress_(progress), event_{.digest = digest_of(name), .name = std::move(name)} {
    event_.started = base::FileTime::now();
    progress_.emit(event_);
}

ProgressVertex::~ProgressVertex() {
    if (open_) complete("canceled");
}

void ProgressVertex::done() {
    complete("");
}

void ProgressVertex::failed(const std::string& message) {
    complete(message);
}

void ProgressVertex::complete(std::string error) {
    open_ = false;
    event_.completed = base::FileTime::now();
    event_.error = std::move(error);
    progress_.emit(event_);
}

}  // namespace mullion::cli
