// Which versions of Windows an image may be of: --os-match and --host-os-version.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>

#include "oci/isolation.hpp"
#include "oci/os_match.hpp"

namespace mullion::cli {

struct OsFlags {
    std::string match;
    std::string host_version;
};

void add_os_options(CLI::App& command, OsFlags& flags);

// Throws Invalid for a version that is none, and for a rule that needs one it was not given.
oci::OsRule parse_os_rule(const OsFlags& flags);

// The host that runs the containers, with the version that the rule gives it; nullopt as windows_host().
std::optional<oci::WindowsHost> container_host(const oci::OsRule& rule);

void add_isolation_option(CLI::App& command, std::string& value);

}  // namespace mullion::cli
