#include "cli/windows_findings.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "oci/os_match.hpp"
#include "oci/platform.hpp"
#include "tree/name.hpp"

namespace mullion::cli {
namespace {

// Windows 10 1809 and Windows Server 2019: the first with the calls we make.
constexpr std::uint32_t kFirstBuild = 17763;

// What base images of the long-term releases are tagged.
struct Release {
    std::uint32_t build;
    const char* tag;
};
constexpr Release kReleases[] = {{17763, "ltsc2019"}, {20348, "ltsc2022"}, {26100, "ltsc2025"}};

constexpr std::size_t kShownImages = 5;

oci::OsVersion version_of(const std::string& text) {
    return oci::OsVersion::parse(text).value_or(oci::OsVersion{});
}

std::vector<std::string> tags_for(const oci::OsVersion& host) {
    std::vector<std::string> tags;
    for (const Release& release : kReleases) {
        if (oci::runs_on({host.major, host.minor, release.build, 0}, host)) tags.emplace_back(release.tag);
    }
    return tags;
}

std::string enable(const char* feature) {
    return fmt::format(
        "in an elevated PowerShell: Enable-WindowsOptionalFeature -Online -All -FeatureName {}; then restart "
        "Windows",
        feature);
}

// Clients share their kernel only then.
const char* if_asked(const hcs::HostFacts& host) {
    return host.is_server ? "" : " (with --isolation=process)";
}

std::string listed(std::vector<std::string> names) {
    std::size_t more = names.size() - std::min(names.size(), kShownImages);
    names.resize(names.size() - more);
    return fmt::format("{}{}", fmt::join(names, ", "), more == 0 ? "" : fmt::format(" and {} more", more));
}

// As a string of PowerShell that expands nothing.
std::string quoted(const std::string& text) {
    std::string result = "'";
    for (char c : text) result += c == '\'' ? "''" : std::string(1, c);
    return result + "'";
}

// Of an excluded path: "C:\x\*" and "C:\x\" are the directory C:\x.
std::string directory_of(std::string path) {
    std::replace(path.begin(), path.end(), '/', '\\');
    if (path.ends_with("\\*")) path.resize(path.size() - 1);
    while (path.ends_with('\\')) path.pop_back();
    return tree::fold(tree::Os::Windows, path);
}

// A scanner leaves out what is below an excluded directory.
bool is_excluded(const std::vector<std::string>& excluded, const std::string& path) {
    std::string wanted = directory_of(path) + "\\";
    return std::any_of(excluded.begin(), excluded.end(), [&](const std::string& each) {
        return !each.empty() && wanted.starts_with(directory_of(each) + "\\");
    });
}

}  // namespace

Finding windows_version_finding(const hcs::HostFacts& host) {
    oci::OsVersion version = version_of(host.version);
    std::string found = fmt::format("Windows {}{}", host.is_server ? "Server " : "", host.version);
    if (version.build < kFirstBuild) {
        return {Health::Problem, fmt::format("{}: containers need build {}", found, kFirstBuild),
                "use Windows Server 2019 or Windows 10 1809, or a later one"};
    }
    std::vector<std::string> tags = tags_for(version);
    if (!tags.empty()) {
        return {Health::Ok,
                fmt::format("{}; runs {} without Hyper-V{}", found, fmt::join(tags, ", "), if_asked(host)),
                ""};
    }
    return {host.has_hyperv ? Health::Ok : Health::Warning,
            fmt::format("{}; without Hyper-V only images of build {} run{}", found, version.build,
                        if_asked(host)),
            host.has_hyperv ? "" : enable("Microsoft-Hyper-V")};
}

Finding containers_feature_finding(const std::vector<std::string>& missing) {
    if (missing.empty()) return {Health::Ok, "enabled: its libraries and services are there", ""};
    return {Health::Problem,
            fmt::format("not enabled, or Windows was not restarted since: {}", fmt::join(missing, "; ")),
            enable("Containers")};
}

Finding hyperv_feature_finding(bool enabled) {
    if (enabled) {
        return {Health::Ok,
                "enabled: its service vmms is there; whether virtualisation is switched on shows only when a "
                "container starts",
                ""};
    }
    return {Health::Warning, "not enabled: images of other versions of Windows cannot run",
            enable("Microsoft-Hyper-V")};
}

Finding service_finding(const std::string& name, ServiceState state, std::function<void()> start) {
    switch (state) {
        case ServiceState::Absent:
            return {Health::Skipped, "it comes with the feature Containers, see above", ""};
        case ServiceState::Disabled:
            return {Health::Problem, "its start is disabled",
                    fmt::format("in an elevated prompt: sc.exe config {} start= demand", name)};
        case ServiceState::Stopped:
            return {Health::Warning, "is stopped; Windows may start it when a container is asked for",
                    fmt::format("mullion doctor --fix, or: sc.exe start {}", name), std::move(start)};
        case ServiceState::Running:
            return {Health::Ok, "runs", ""};
    }
    return {};
}

Finding privileges_finding(bool elevated, const std::vector<std::string>& missing) {
    if (elevated && missing.empty())
        return {Health::Ok, "elevated, with all privileges that layers need", ""};
    std::string found = elevated ? fmt::format("this account lacks {}", fmt::join(missing, ", "))
                                 : "mullion does not run as administrator";
    return {Health::Problem, found + ": it cannot make containers",
            elevated ? "use an account of the group Administrators"
                     : "start it from an elevated prompt (\"Run as administrator\")"};
}

Finding nat_network_finding(const std::optional<std::string>& network, std::function<void()> make) {
    if (network) return {Health::Ok, fmt::format("\"{}\"", *network), ""};
    return {Health::Warning, "there is none yet; the first container with a network makes it",
            "mullion doctor --fix", std::move(make)};
}

Finding nat_network_finding(const base::Error& failure) {
    if (failure.code() == base::ErrorCode::Unsupported) {
        return {Health::Skipped, "it needs the feature Containers, see above", ""};
    }
    if (failure.code() == base::ErrorCode::Denied) {
        return {Health::Skipped, "only administrators may ask, see above", ""};
    }
    return {Health::Problem, failure.what(), failure.hint()};
}

Finding volume_finding(const std::string& kind) {
    if (kind == "NTFS") return {Health::Ok, kind, ""};
    return {Health::Problem, fmt::format("{}: layers of Windows images need NTFS", kind),
            "choose a place on an NTFS volume with --state or MULLION_STATE"};
}

Finding long_paths_finding(const std::optional<std::uint32_t>& enabled) {
    if (enabled.value_or(0) == 1) return {Health::Ok, "on", ""};
    return {Health::Warning, "off: contexts with paths longer than 260 characters may fail",
            "in an elevated PowerShell: Set-ItemProperty "
            "HKLM:\\SYSTEM\\CurrentControlSet\\Control\\FileSystem LongPathsEnabled 1"};
}

Finding virus_scanner_finding(const ScannerFacts& scanner, const std::string& state) {
    if (!scanner.installed) {
        return {Health::Skipped, "Microsoft Defender is not here; others are not known to this check", ""};
    }
    std::string command =
        fmt::format("in an elevated PowerShell: Add-MpPreference -ExclusionPath {}", quoted(state));
    if (is_excluded(scanner.excluded, state)) {
        return {Health::Ok, "Microsoft Defender leaves the state directory out", ""};
    }
    if (!scanner.readable) {
        return {
            Health::Warning,
            "Microsoft Defender does not let us read its exclusions: it may scan the state directory, which "
            "makes builds slow and lets them fail now and then",
            command};
    }
    return {
        Health::Warning,
        "Microsoft Defender scans the state directory, which makes builds slow and lets them fail now and "
        "then",
        "if your rules allow it, " + command};
}

Finding image_versions_finding(const hcs::HostFacts& host, const std::vector<StoredVersion>& images) {
    oci::OsVersion own = version_of(host.version);
    std::vector<std::string> newer, hyperv;
    for (const StoredVersion& image : images) {
        oci::OsVersion version = version_of(image.os_version);
        if (image.os_version.empty() || oci::runs_on(version, own)) continue;
        std::string name = fmt::format("{} ({})", image.name, image.os_version);
        (version.build > own.build ? newer : hyperv).push_back(std::move(name));
    }
    if (images.empty()) return {Health::Skipped, "the local store has no Windows image", ""};
    if (!newer.empty()) {
        return {Health::Warning, fmt::format("newer than this Windows, cannot run: {}", listed(newer)),
                "take a tag of the image that is for this version of Windows, or a newer Windows"};
    }
    if (!hyperv.empty() && !host.has_hyperv) {
        return {Health::Warning,
                fmt::format("can run by Hyper-V only, which is not enabled: {}", listed(hyperv)),
                enable("Microsoft-Hyper-V")};
    }
    return {Health::Ok,
            fmt::format("all {} of the local store can run here{}", images.size(),
                        host.has_hyperv ? "" : if_asked(host)),
            ""};
}

}  // namespace mullion::cli
