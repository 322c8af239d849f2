#include "solver/vertex_progress.hpp"

#include <type_traits>
#include <utility>

namespace mullion::solver {

void VertexProgress::emit(const base::ProgressEvent& event) {
    std::visit(
        [&](const auto& item) {
            using Event = std::decay_t<decltype(item)>;
            if constexpr (std::is_same_v<Event, base::StatusEvent>) begin_pinning();
            if constexpr (std::is_same_v<Event, base::VertexEvent>) {
                sink_.emit(event);
            } else if (item.vertex == vertex_->digest()) {
                sink_.emit(event);
            } else {
                Event own = item;
                own.vertex = vertex_->digest();
                sink_.emit(own);
            }
        },
        event);
}

void VertexProgress::tell(const base::VertexEvent& event) {
    if (!vertex_->options().hidden) sink_.emit(event);
}

base::VertexEvent VertexProgress::event() const {
    base::VertexEvent event{vertex_->digest(), {}, vertex_->options().name, false, {}, {}, {}};
    event.inputs.reserve(vertex_->inputs().size());
    for (const Edge& input : vertex_->inputs()) {
        if (!input.vertex->options().hidden) event.inputs.push_back(input.vertex->digest());
    }
    return event;
}

void VertexProgress::announce() {
    if (state_ != State::Unknown) return;
    state_ = State::Announced;
    tell(event());
}

// Displays show what belongs to vertices that have started.
void VertexProgress::begin_pinning() {
    if (state_ != State::Unknown && state_ != State::Announced) return;
    started();
    state_ = State::Pinning;
}

void VertexProgress::cached() {
    if (state_ != State::Unknown && state_ != State::Announced && state_ != State::Pinning) return;
    base::VertexEvent now = event();
    now.cached = true;
    now.completed = base::FileTime::now();
    now.started = state_ == State::Pinning ? started_ : now.completed;
    state_ = State::Cached;
    tell(now);
}

void VertexProgress::started() {
    if (std::exchange(state_, State::Running) == State::Pinning) return;
    base::VertexEvent now = event();
    now.started = started_ = base::FileTime::now();
    tell(now);
}

void VertexProgress::completed(const std::string& error) {
    base::VertexEvent now = event();
    now.started = started_;
    now.completed = base::FileTime::now();
    now.error = error;
    state_ = State::Completed;
    tell(now);
    started_.reset();
    // What failed may run, and be told of, again in a later solve.
    if (!error.empty()) state_ = State::Unknown;
}

void VertexProgress::abandon() {
    if (state_ == State::Pinning) completed("");  // what was asked of the server was enough
    if (state_ == State::Announced || state_ == State::Running) completed("canceled");
}

}  // namespace mullion::solver
