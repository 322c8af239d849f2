#include "oci/config.hpp"

#include "base/error.hpp"
#include "oci/json_object.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::FileTime;
using base::Json;
using base::JsonView;
using base::OrderedJson;

constexpr std::size_t kMaxHistory = 8192;

std::optional<FileTime> time_member(const JsonView& view, const char* key) {
    auto member = view.find(key);
    if (!member) return {};
    return base::with_context([&] { return member->path(); },
                              [&] { return FileTime::parse_rfc3339(member->string()); });
}

std::optional<std::vector<std::string>> list_member(const JsonView& view, const char* key) {
    auto member = view.find(key);
    if (!member) return {};
    return member->strings();
}

// The keys of Go's map[string]struct{}, sorted.
std::vector<std::string> set_member(const JsonView& view, const char* key) {
    std::vector<std::string> names;
    auto member = view.find(key);
    if (!member) return names;
    for (const auto& [name, value] : member->members()) {
        if (!value.raw().is_object() && !value.raw().is_null()) value.fail("an object");
        names.push_back(name);
    }
    return names;
}

bool flag_member(const JsonView& view, const char* key) {
    auto member = view.find(key);
    return member && member->boolean();
}

std::int64_t number_member(const JsonView& view, const char* key) {
    auto member = view.find(key);
    return member ? member->integer() : 0;
}

Healthcheck parse_healthcheck(const JsonView& view) {
    Healthcheck check;
    check.test = view.strings_or_empty("Test");
    check.interval = std::chrono::nanoseconds(number_member(view, "Interval"));
    check.timeout = std::chrono::nanoseconds(number_member(view, "Timeout"));
    check.start_period = std::chrono::nanoseconds(number_member(view, "StartPeriod"));
    check.start_interval = std::chrono::nanoseconds(number_member(view, "StartInterval"));
    std::int64_t retries = number_member(view, "Retries");
    if (retries < 0 || retries > INT32_MAX) view.at("Retries").fail("a number of retries");
    check.retries = static_cast<int>(retries);
    check.extra = canonical(
        unknown_members(view, {"Test", "Interval", "Timeout", "StartPeriod", "StartInterval", "Retries"}));
    return check;
}

OrderedJson write_healthcheck(const Healthcheck& check) {
    ObjectWriter writer;
    writer.strings("Test", check.test);
    writer.number("Interval", check.interval.count());
    writer.number("Timeout", check.timeout.count());
    writer.number("StartPeriod", check.start_period.count());
    writer.number("StartInterval", check.start_interval.count());
    writer.number("Retries", check.retries);
    return writer.finish(check.extra);
}

RunConfig parse_run_config(const JsonView& view) {
    RunConfig config;
    config.user = view.string_or("User", "");
    config.exposed_ports = set_member(view, "ExposedPorts");
    config.env = view.strings_or_empty("Env");
    config.entrypoint = list_member(view, "Entrypoint");
    config.cmd = list_member(view, "Cmd");
    config.volumes = set_member(view, "Volumes");
    config.working_dir = view.string_or("WorkingDir", "");
    if (auto labels = view.find("Labels")) config.labels = string_map(*labels);
    config.stop_signal = view.string_or("StopSignal", "");
    config.args_escaped = flag_member(view, "ArgsEscaped");
    if (auto check = view.find("Healthcheck")) config.healthcheck = parse_healthcheck(*check);
    config.on_build = view.strings_or_empty("OnBuild");
    config.shell = list_member(view, "Shell");
    config.extra = canonical(
        unknown_members(view, {"User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir",
                               "Labels", "StopSignal", "ArgsEscaped", "Healthcheck", "OnBuild", "Shell"}));
    return config;
}

// image-spec's ImageConfig, then Docker's extension of it.
OrderedJson write_run_config(const RunConfig& config) {
    ObjectWriter writer;
    writer.text("User", config.user);
    writer.set("ExposedPorts", config.exposed_ports);
    writer.strings("Env", config.env);
    if (config.entrypoint) writer.strings("Entrypoint", *config.entrypoint);
    if (config.cmd) writer.strings("Cmd", *config.cmd);
    writer.set("Volumes", config.volumes);
    writer.text("WorkingDir", config.working_dir);
    writer.map("Labels", config.labels);
    writer.text("StopSignal", config.stop_signal);
    writer.flag("ArgsEscaped", config.args_escaped);
    if (config.healthcheck) writer.put("Healthcheck", write_healthcheck(*config.healthcheck));
    writer.strings("OnBuild", config.on_build);
    if (config.shell) writer.strings("Shell", *config.shell);
    return writer.finish(config.extra);
}

HistoryEntry parse_history(const JsonView& view) {
    HistoryEntry entry;
    entry.created = time_member(view, "created");
    entry.created_by = view.string_or("created_by", "");
    entry.author = view.string_or("author", "");
    entry.comment = view.string_or("comment", "");
    entry.empty_layer = flag_member(view, "empty_layer");
    entry.extra =
        canonical(unknown_members(view, {"created", "created_by", "author", "comment", "empty_layer"}));
    return entry;
}

OrderedJson write_history(const HistoryEntry& entry) {
    ObjectWriter writer;
    if (entry.created) writer.put("created", entry.created->rfc3339());
    writer.text("created_by", entry.created_by);
    writer.text("author", entry.author);
    writer.text("comment", entry.comment);
    writer.flag("empty_layer", entry.empty_layer);
    return writer.finish(entry.extra);
}

std::vector<base::DiffId> parse_diff_ids(const JsonView& rootfs) {
    std::vector<base::DiffId> diff_ids;
    if (std::string type = rootfs.string_or("type", "layers"); type != "layers") {
        rootfs.at("type").fail("\"layers\"");
    }
    auto list = rootfs.find("diff_ids");
    if (!list) return diff_ids;
    std::vector<JsonView> items = list->array();
    check_count(items.size(), kMaxLayers, *list);
    for (const JsonView& item : items) {
        diff_ids.push_back(base::with_context(
            [&] { return item.path(); }, [&] { return base::DiffId{base::Digest::parse(item.string())}; }));
    }
    return diff_ids;
}

OrderedJson write_rootfs(const std::vector<base::DiffId>& diff_ids) {
    ObjectWriter writer;
    writer.put("type", "layers");
    OrderedJson list = OrderedJson::array();
    for (const base::DiffId& diff_id : diff_ids) list.push_back(diff_id.digest.string());
    writer.put("diff_ids", std::move(list));
    return writer.finish("{}");
}

}  // namespace

ImageConfig ImageConfig::parse(std::string_view json) {
    Json document = parse_document(json, kMaxSize, "image config");
    JsonView view(document, "image config");
    ImageConfig config;
    config.created = time_member(view, "created");
    config.author = view.string_or("author", "");
    config.platform = platform_members(view);
    if (auto run = view.find("config")) config.config = parse_run_config(*run);
    JsonView rootfs = view.at("rootfs");
    config.diff_ids = parse_diff_ids(rootfs);
    if (auto history = view.find("history")) {
        std::vector<JsonView> items = history->array();
        check_count(items.size(), kMaxHistory, *history);
        for (const JsonView& item : items) config.history.push_back(parse_history(item));
    }
    Json extra = unknown_members(view, {"created", "author", "architecture", "os", "os.version",
                                        "os.features", "variant", "config", "rootfs", "history"});
    if (Json more = unknown_members(rootfs, {"type", "diff_ids"}); !more.empty()) extra["rootfs"] = more;
    config.extra = canonical(extra);
    return config;
}

std::string ImageConfig::json() const {
    ObjectWriter writer;
    if (created) writer.put("created", created->rfc3339());
    writer.text("author", author);
    writer.platform(platform);
    writer.put("config", write_run_config(config));
    writer.put("rootfs", write_rootfs(diff_ids));
    OrderedJson list = OrderedJson::array();
    for (const HistoryEntry& entry : history) list.push_back(write_history(entry));
    if (!list.empty()) writer.put("history", std::move(list));
    return canonical(writer.finish(extra));
}

}  // namespace mullion::oci
