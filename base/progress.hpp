// What a build tells its user, as typed events. The vocabulary is BuildKit's status stream
// (api/services/control: Vertex, VertexStatus, VertexLog, VertexWarning), so that `--progress rawjson` is a
// plain rendering of it; UsageEvent is ours. Displays are consumers; nothing here knows a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/digest.hpp"
#include "base/file_time.hpp"
#include "base/source_range.hpp"

namespace mullion::base {

// The state of one vertex. Sent again, whole, whenever it changes; the digest names it.
struct VertexEvent {
    Digest digest;
    std::vector<Digest> inputs;
    std::string name;
    bool cached = false;
    std::optional<FileTime> started;
    std::optional<FileTime> completed;
    std::string error;  // empty unless it failed; "canceled" texts included
};

// A named piece of work inside a vertex ("exporting layers", "sha256:..."), with byte counts where known.
struct StatusEvent {
    Digest vertex;
    std::string id;
    std::int64_t current = 0;
    std::int64_t total = 0;  // 0 = unknown
    FileTime timestamp;
    std::optional<FileTime> started;
    std::optional<FileTime> completed;
    std::string name = {};  // how it ended if not by moving the bytes: "exists", "mounted"
};

// Bytes a RUN wrote, as they came: unknown encoding, any cut.
struct LogEvent {
    Digest vertex;
    int stream = 1;  // 1 stdout, 2 stderr
    std::string data;
    FileTime timestamp;
};

struct WarningEvent {
    std::optional<Digest> vertex;
    int level = 1;
    std::string message;
    std::string detail;
    std::string url;
    std::optional<SourceRange> range;
};

// What a container has used. 0: not known.
struct ResourceUsage {
    std::chrono::nanoseconds processor_time{0};  // of all processors together
    std::uint64_t peak_memory = 0;               // bytes
    std::uint64_t read_bytes = 0;                // from disks
    std::uint64_t written_bytes = 0;
    bool operator==(const ResourceUsage&) const = default;
};

// Of a RUN whose process has ended, successfully or not; again if it was tried again.
struct UsageEvent {
    Digest vertex;
    ResourceUsage usage;
    FileTime timestamp;
};

using ProgressEvent = std::variant<VertexEvent, StatusEvent, LogEvent, WarningEvent, UsageEvent>;

// Takes events from any thread. Never throws, never blocks on a terminal for long.
class ProgressSink {
  public:
    virtual ~ProgressSink() = default;
    virtual void emit(const ProgressEvent& event) = 0;
};

class NullProgress final : public ProgressSink {
  public:
    void emit(const ProgressEvent&) override {}
};

}  // namespace mullion::base
