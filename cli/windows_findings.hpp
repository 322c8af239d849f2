// What doctor makes of what it read of a Windows host. The reading is cli/doctor_windows.cpp's; nothing here
// asks the system, so that it is the same, and tested, everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "cli/doctor.hpp"
#include "hcs/host.hpp"

namespace mullion::cli {

// Can it run containers, and of which versions without Hyper-V?
Finding windows_version_finding(const hcs::HostFacts& host);

// `missing`: libraries and services of the feature Containers that are not there, with what is wrong.
Finding containers_feature_finding(const std::vector<std::string>& missing);
Finding hyperv_feature_finding(bool enabled);

enum class ServiceState { Absent, Disabled, Stopped, Running };
// `start` starts it.
Finding service_finding(const std::string& name, ServiceState state, std::function<void()> start);

// `missing`: names of privileges that the process' token does not hold.
Finding privileges_finding(bool elevated, const std::vector<std::string>& missing);

// By name; `make` makes one.
Finding nat_network_finding(const std::optional<std::string>& network, std::function<void()> make);
// If it cannot be asked for: skipped where an earlier check tells the cause, else what it is.
Finding nat_network_finding(const base::Error& failure);

// `kind` as Windows names it: "NTFS".
Finding volume_finding(const std::string& kind);

// LongPathsEnabled of the registry; nullopt if it is not there.
Finding long_paths_finding(const std::optional<std::uint32_t>& enabled);

// Microsoft Defender's exclusions of paths, with variables expanded.
struct ScannerFacts {
    bool installed = false;
    bool readable = false;
    std::vector<std::string> excluded;
};
Finding virus_scanner_finding(const ScannerFacts& scanner, const std::string& state);

// A Windows image of the local store.
struct StoredVersion {
    std::string name;
    std::string os_version;
};
Finding image_versions_finding(const hcs::HostFacts& host, const std::vector<StoredVersion>& images);

}  // namespace mullion::cli
