// The image configuration (OCI image-spec, config.md, plus Docker's fields that Windows images use). A value.
// Members that we do not know are kept in `extra` (the text of a JSON object, sorted, "{}" if none) of the
// object they were found in and written back after the known ones. The bytes of an image that was only read
// are never made anew: its digest is over the original bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.hpp"
#include "base/file_time.hpp"
#include "oci/platform.hpp"

namespace mullion::oci {

struct Healthcheck {
    std::vector<std::string> test;  // {"NONE"}, {"CMD", ...}, {"CMD-SHELL", text}
    std::chrono::nanoseconds interval{0};
    std::chrono::nanoseconds timeout{0};
    std::chrono::nanoseconds start_period{0};
    std::chrono::nanoseconds start_interval{0};
    int retries = 0;
    std::string extra = "{}";
    bool operator==(const Healthcheck&) const = default;
};

struct HistoryEntry {
    std::optional<base::FileTime> created;  // 100 ns steps: Docker's last two digits are cut off
    std::string created_by;
    std::string author;
    std::string comment;
    bool empty_layer = false;
    std::string extra = "{}";
    bool operator==(const HistoryEntry&) const = default;
};

// The "config" member.
struct RunConfig {
    std::string user;
    std::vector<std::string> env;  // "NAME=value", order kept
    // An empty list is written like an absent one: left out.
    std::optional<std::vector<std::string>> entrypoint;
    std::optional<std::vector<std::string>> cmd;
    bool args_escaped = false;
    std::map<std::string, std::string> labels;
    std::vector<std::string> exposed_ports;  // sorted, "80/tcp"
    std::vector<std::string> volumes;        // sorted
    std::string working_dir;
    std::string stop_signal;
    std::optional<std::vector<std::string>> shell;
    std::optional<Healthcheck> healthcheck;
    std::vector<std::string> on_build;
    std::string extra = "{}";
    bool operator==(const RunConfig&) const = default;
};

struct ImageConfig {
    Platform
        platform;  // architecture, os, os.version, os.features, variant; empty where the document has none
    std::optional<base::FileTime> created;
    std::string author;
    RunConfig config;
    std::vector<base::DiffId> diff_ids;
    std::vector<HistoryEntry> history;
    std::string extra = "{}";

    static constexpr std::size_t kMaxSize = 8 << 20;  // bytes of the document

    // Strict on types, lenient on unknown members. Throws Invalid naming the JSON path.
    static ImageConfig parse(std::string_view json);
    // Canonical bytes: the same value always gives the same bytes (member order of the Go structs, no white
    // space, plain UTF-8: "cmd >> file" stays readable where Go would write \u003e\u003e).
    // parse(json()).json() gives the same bytes again.
    std::string json() const;
    bool operator==(const ImageConfig&) const = default;
};

}  // namespace mullion::oci
