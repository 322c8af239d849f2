// Which versions of Windows an image may be of: --os-match and --host-os-version.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "cli/windows_host.hpp"
#include "oci/isolation.hpp"
#include "oci/os_match.hpp"

namespace mullion::cli {

struct OsFlags {
    std::string match;
    std::string host_version;
    bool given() const { return !match.empty() || !host_version.empty(); }
};

void add_os_options(CLI::App& command, OsFlags& flags);

// Without flags it is Auto on a Windows host and Base elsewhere. Throws Invalid for a version that is none,
// and for a rule that needs one it was not given.
oci::OsRule parse_os_rule(const OsFlags& flags, const std::optional<oci::WindowsHost>& host = windows_host());

// The host that runs the containers, with the version that the rule gives it; nullopt as windows_host().
std::optional<oci::WindowsHost> container_host(const oci::OsRule& rule);

void add_isolation_option(CLI::App& command, std::string& value);

}  // namespace mullion::cli
