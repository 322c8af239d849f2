// BuildKit's status stream as `--progress rawjson` writes it: its client.SolveStatus in Go's JSON encoding.
// One object a line, each with one event. "usages" is an addition; what is in it has the names of BuildKit's
// resource samples (executor/resources/types).
#include "base/base64.hpp"
#include "base/json.hpp"
#include "cli/display_renderer.hpp"

namespace mullion::cli {
namespace {

using base::OrderedJson;

// Go writes []byte as base64.
std::string bytes(std::string_view data) {
    std::string text;
    base::append_base64(text, data);
    return text;
}

void add_time(OrderedJson& object, const char* name, const std::optional<base::FileTime>& time) {
    if (time) object[name] = time->rfc3339();
}

OrderedJson object_of(const base::VertexEvent& event) {
    OrderedJson object = {{"digest", event.digest.string()}};
    for (const base::Digest& input : event.inputs) object["inputs"].push_back(input.string());
    if (!event.name.empty()) object["name"] = event.name;
    add_time(object, "started", event.started);
    add_time(object, "completed", event.completed);
    if (event.cached) object["cached"] = true;
    if (!event.error.empty()) object["error"] = event.error;
    return object;
}

OrderedJson object_of(const base::StatusEvent& event) {
    OrderedJson object = {{"id", event.id}, {"vertex", event.vertex.string()}};
    if (!event.name.empty()) object["name"] = event.name;
    if (event.total != 0) object["total"] = event.total;
    object["current"] = event.current;
    object["timestamp"] = event.timestamp.rfc3339();
    add_time(object, "started", event.started);
    add_time(object, "completed", event.completed);
    return object;
}

OrderedJson object_of(const base::LogEvent& event) {
    return {{"vertex", event.vertex.string()},
            {"stream", event.stream},
            {"data", bytes(event.data)},
            {"timestamp", event.timestamp.rfc3339()}};
}

OrderedJson position(int line, int column) {
    OrderedJson object = {{"line", line}};
    if (column != 0) object["character"] = column;
    return object;
}

OrderedJson object_of(const base::WarningEvent& event) {
    OrderedJson object = OrderedJson::object();
    if (event.vertex) object["vertex"] = event.vertex->string();
    if (event.level != 0) object["level"] = event.level;
    object["short"] = bytes(event.message);
    if (!event.detail.empty()) object["detail"] = OrderedJson::array({bytes(event.detail)});
    if (!event.url.empty()) object["url"] = event.url;
    if (event.range) {
        object["sourceInfo"] = {{"filename", event.range->file}};
        object["range"] =
            OrderedJson::array({{{"start", position(event.range->first_line, event.range->first_column)},
                                 {"end", position(event.range->last_line, event.range->last_column)}}});
    }
    return object;
}

OrderedJson object_of(const base::UsageEvent& event) {
    const base::ResourceUsage& usage = event.usage;
    OrderedJson object = {{"vertex", event.vertex.string()}, {"timestamp", event.timestamp.rfc3339()}};
    if (usage.processor_time.count() != 0) object["cpuStat"]["usageNanos"] = usage.processor_time.count();
    if (usage.peak_memory != 0) object["memoryStat"]["peak"] = usage.peak_memory;
    if (usage.read_bytes != 0) object["ioStat"]["readBytes"] = usage.read_bytes;
    if (usage.written_bytes != 0) object["ioStat"]["writeBytes"] = usage.written_bytes;
    return object;
}

const char* list_of(const base::VertexEvent&) {
    return "vertexes";
}
const char* list_of(const base::StatusEvent&) {
    return "statuses";
}
const char* list_of(const base::LogEvent&) {
    return "logs";
}
const char* list_of(const base::WarningEvent&) {
    return "warnings";
}
const char* list_of(const base::UsageEvent&) {
    return "usages";
}

class JsonRenderer final : public DisplayRenderer {
  public:
    DisplayPace pace() const override { return {}; }

    std::string render(const std::vector<base::ProgressEvent>& events, base::FileTime) override {
        std::string text;
        for (const base::ProgressEvent& event : events) {
            std::visit(
                [&](const auto& item) {
                    OrderedJson line;
                    line[list_of(item)].push_back(object_of(item));
                    // Names may hold any bytes of the Dockerfile.
                    text += line.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
                },
                event);
        }
        return text;
    }

    std::string finish(base::FileTime) override { return {}; }
};

}  // namespace

std::unique_ptr<DisplayRenderer> make_json_renderer() {
    return std::make_unique<JsonRenderer>();
}

}  // namespace mullion::cli
