// How a Windows container is kept apart from its host (hcs.md §5), decided before anything is downloaded.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oci/platform.hpp"

namespace mullion::oci {

enum class Isolation {
    Auto,     // process isolation if the versions allow it, else Hyper-V
    Process,  // shares the host's kernel
    HyperV,   // a utility VM with a kernel of its own
};

// Throws Invalid, naming what there is ("auto", "process", "hyperv"; "default" is auto's other name).
Isolation parse_isolation(std::string_view text);
const char* to_string(Isolation isolation);

struct WindowsHost {
    OsVersion version;
    bool is_server = true;
    bool has_hyperv = false;  // the feature is there and enabled
};

struct IsolationChoice {
    Isolation isolation;  // Process or HyperV
    std::string reason;   // "the image's build 20348 runs on the host's 26100"
};

// Process isolation: runs_on(); Windows Server 2016 wants equal revisions too, and a client runs it only if
// it is asked for by name. Hyper-V: every build up to the host's own. An image that names no version is taken
// for one of the host's. Throws Unsupported: both versions, and as hint the flag and the tags that work.
IsolationChoice choose_isolation(Isolation wanted, const std::optional<OsVersion>& image,
                                 const WindowsHost& host);

// "the image is Windows 10.0.17763.1, the host Windows 10.0.20348.1"
std::string both_versions(const std::optional<OsVersion>& image, const WindowsHost& host);

// What to try when Windows itself refused process isolation, whatever the rule says: flags and tags, as a
// hint; may be empty.
std::string after_mismatch(const std::optional<OsVersion>& image, const WindowsHost& host);

// The tag of Microsoft's base images that suits a build best under process isolation ("ltsc2022"); nullopt if
// there is none.
std::optional<std::string> image_tag_for(std::uint32_t build);

}  // namespace mullion::oci
