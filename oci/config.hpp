// The image configuration (OCI image-spec, config.md, plus Docker's fields that Windows images use). A value;
// `extra` members that we do not know are kept and written back.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
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
    bool operator==(const Healthcheck&) const = default;
};

struct HistoryEntry {
    std::optional<base::FileTime> created;
    std::string created_by;
    std::string author;
    std::string comment;
    bool empty_layer = false;
    bool operator==(const HistoryEntry&) const = default;
};

// The "config" member.
struct RunConfig {
    std::string user;
    std::vector<std::string> env;  // "NAME=value", order kept
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
    std::string extra = "{}";  // JSON object of unknown members
    bool operator==(const RunConfig&) const = default;
};

struct ImageConfig {
    Platform platform;  // architecture, os, os.version, os.features, variant
    std::optional<base::FileTime> created;
    std::string author;
    RunConfig config;
    std::vector<base::DiffId> diff_ids;
    std::vector<HistoryEntry> history;
    std::string extra = "{}";

    // Throws Invalid naming the JSON path.
    static ImageConfig parse(std::string_view json);
    // Canonical bytes: the same value always gives the same bytes (member order of the Go structs, no white
    // space).
    std::string json() const;
    bool operator==(const ImageConfig&) const = default;
};

}  // namespace mullion::oci
