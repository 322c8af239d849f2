// Events for display tests, at times of our choosing.
#pragma once

#include <string>

#include "base/progress.hpp"

namespace mullion::test {

// Seconds after a fixed start.
inline base::FileTime at(double seconds) {
    return {17'000'000'000'000'000 + static_cast<std::int64_t>(seconds * base::FileTime::kTicksPerSecond)};
}

inline base::VertexEvent announced(const std::string& name) {
    return {base::Digest::of(name), {}, name, false, {}, {}, {}};
}

inline base::VertexEvent started(const std::string& name, double when) {
    base::VertexEvent event = announced(name);
    event.started = at(when);
    return event;
}

inline base::VertexEvent completed(const std::string& name, double from, double to, std::string error = {}) {
    base::VertexEvent event = started(name, from);
    event.completed = at(to);
    event.error = std::move(error);
    return event;
}

inline base::VertexEvent cached(const std::string& name, double when) {
    base::VertexEvent event = completed(name, when, when);
    event.cached = true;
    return event;
}

inline base::LogEvent log(const std::string& vertex, double when, std::string data, int stream = 1) {
    return {base::Digest::of(vertex), stream, std::move(data), at(when)};
}

inline base::StatusEvent status(const std::string& vertex, const std::string& id, double when,
                                std::int64_t current, std::int64_t total, bool done = false) {
    base::StatusEvent event{base::Digest::of(vertex), id, current, total, at(when), at(0), {}};
    if (done) event.completed = at(when);
    return event;
}

}  // namespace mullion::test
