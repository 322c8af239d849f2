// What one vertex tells the user: its own life, and whatever its op emits.
#pragma once

#include <optional>
#include <string>

#include "base/file_time.hpp"
#include "base/progress.hpp"
#include "solver/vertex.hpp"

namespace mullion::solver {

// The sink an op gets. Forwards to the build's sink; log, status and warning events become the vertex's own.
class VertexProgress final : public base::ProgressSink {
  public:
    VertexProgress(VertexRef vertex, base::ProgressSink& sink) : vertex_(std::move(vertex)), sink_(sink) {}

    void emit(const base::ProgressEvent& event) override;

    // The life of the vertex: announced, then cached or started, then (if started) completed. Each is sent
    // once; a cached vertex may start all the same when its recorded result is gone, and a status that an op
    // emits while it finds out what it is starts the vertex. started() is called by
    // the body, the rest by the thread that owns the graph, never both at the same time.
    void announce();
    void cached();
    void started();
    // `error` is empty for success.
    void completed(const std::string& error);
    // Completes, as canceled, whatever was announced or started and has not completed.
    void abandon();

  private:
    // Pinning: the op has something to show (a download) before it is known whether it must run.
    enum class State { Unknown, Announced, Pinning, Cached, Running, Completed };
    void begin_pinning();
    base::VertexEvent event() const;
    void tell(const base::VertexEvent& event);

    VertexRef vertex_;
    base::ProgressSink& sink_;
    State state_ = State::Unknown;
    std::optional<base::FileTime> started_;
};

}  // namespace mullion::solver
