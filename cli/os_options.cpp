#include "cli/os_options.hpp"

#include "base/error.hpp"
#include "cli/windows_host.hpp"

namespace mullion::cli {

using base::ErrorCode;
using base::fail;

void add_os_options(CLI::App& command, OsFlags& flags) {
    command
        .add_option(
            "--os-match", flags.match,
            "Which versions of Windows will do: base (any; the default), host (what the host runs), exact")
        ->check(CLI::IsMember({"base", "host", "exact"}));
    command.add_option("--host-os-version", flags.host_version,
                       "Version of the Windows that will run the image (10.0.20348); means --os-match=host");
}

oci::OsRule parse_os_rule(const OsFlags& flags) {
    oci::OsRule rule;
    if (!flags.host_version.empty()) {
        rule.host = oci::OsVersion::parse(flags.host_version);
        if (!rule.host || rule.host->build == 0) {
            throw fail(ErrorCode::Invalid, "--host-os-version {}: expected a version such as 10.0.20348",
                       flags.host_version);
        }
        rule.match = oci::OsMatch::Host;
    }
    if (!rule.host) {
        if (auto host = windows_host()) rule.host = host->version;
    }
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
