#include "cli/os_options.hpp"

#include "base/error.hpp"

namespace mullion::cli {

using base::ErrorCode;
using base::fail;

void add_os_options(CLI::App& command, OsFlags& flags) {
    command
        .add_option("--os-match", flags.match,
                    "Which version of Windows to take: auto (the highest that the host can run, on Linux as "
                    "base; the default), base (the highest), host (only what the host runs in process "
                    "isolation), exact")
        ->check(CLI::IsMember({"auto", "base", "host", "exact"}));
    command.add_option("--host-os-version", flags.host_version,
                       "Version of the Windows that will run the image (10.0.20348); means --os-match=host");
}

oci::OsRule parse_os_rule(const OsFlags& flags, const std::optional<oci::WindowsHost>& host) {
    oci::OsRule rule{oci::OsMatch::Auto, {}};
    if (!flags.host_version.empty()) {
        rule.host = oci::OsVersion::parse(flags.host_version);
        if (!rule.host || rule.host->build == 0) {
            throw fail(ErrorCode::Invalid, "--host-os-version {}: expected a version such as 10.0.20348",
                       flags.host_version);
        }
        rule.match = oci::OsMatch::Host;
    }
    if (!rule.host && host) rule.host = host->version;
    if (flags.match == "auto") rule.match = oci::OsMatch::Auto;
    if (flags.match == "base") rule.match = oci::OsMatch::Base;
    if (flags.match == "exact") rule.match = oci::OsMatch::Exact;
    if (flags.match == "host") {
        if (!rule.host) {
            throw fail(ErrorCode::Invalid,
                       "--os-match=host: this is no Windows, so which version has the host?")
                .hint("say it: --host-os-version 10.0.20348");
        }
        rule.match = oci::OsMatch::Host;
    }
    // The emulation runs every version.
    if (rule.match == oci::OsMatch::Auto && !rule.host) rule.match = oci::OsMatch::Base;
    return rule;
}

std::optional<oci::WindowsHost> container_host(const oci::OsRule& rule) {
    std::optional<oci::WindowsHost> host = windows_host();
    if (host && rule.host) host->version = *rule.host;
    return host;
}

void add_isolation_option(CLI::App& command, std::string& value) {
    command
        .add_option("--isolation", value,
                    "How containers are kept apart from their host: auto (the default), process or hyperv")
        ->check(CLI::IsMember({"auto", "default", "process", "hyperv"}));
}

}  // namespace mullion::cli
