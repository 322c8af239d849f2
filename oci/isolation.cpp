#include "oci/isolation.hpp"

#include <array>

#include "base/error.hpp"
#include "oci/os_match.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr std::uint32_t kServer2016 = 14393;

struct Release {
    std::uint32_t build;
    const char* tag;
};
// Builds that base images exist for.
constexpr std::array kReleases = {
    Release{14393, "ltsc2016"}, Release{16299, "1709"},    Release{17134, "1803"}, Release{17763, "ltsc2019"},
    Release{18362, "1903"},     Release{18363, "1909"},    Release{19041, "2004"}, Release{19042, "20H2"},
    Release{20348, "ltsc2022"}, Release{26100, "ltsc2025"}};

std::string text(const OsVersion& version) {
    return fmt::format("{}.{}.{}.{}", version.major, version.minor, version.build, version.revision);
}

// Why the image cannot share the host's kernel; "" if it can. A client shares it only if it is asked to.
std::string against_process(const OsVersion& image, const WindowsHost& host, bool asked) {
    if (!host.is_server && !asked)
        return "Windows clients run containers under Hyper-V unless told otherwise";
    if (!runs_on(image, host.version)) {
        return fmt::format("build {} does not share the kernel of build {}", image.build, host.version.build);
    }
    if (host.version.build == kServer2016 && image.revision != host.version.revision) {
        return "Windows Server 2016 shares its kernel with its very own revision only";
    }
    return "";
}

// Why no utility VM of the image can run here; "" if one can.
std::string against_hyperv(const OsVersion& image, const WindowsHost& host) {
    if (!can_run_on(image, host.version)) {
        return fmt::format("build {} is newer than the host's {}, and no isolation runs a newer Windows",
                           image.build, host.version.build);
    }
    if (!host.has_hyperv) return "Hyper-V is not enabled on this host";
    return "";
}

std::string what_works(const OsVersion& image, const WindowsHost& host, bool process_works) {
    std::string hint;
    auto append = [&](const std::string& advice) {
        if (!hint.empty()) hint += "; or ";
        hint += advice;
    };
    if (process_works) append("use --isolation=process");
    if (against_hyperv(image, host).empty()) append("use --isolation=hyperv");
    bool must_ask = !host.is_server && !host.has_hyperv;
    std::optional<std::string> tag = image_tag_for(host.version.build);
    if (tag && !(must_ask && process_works)) {
        append(fmt::format("name the base image by the tag {}, which this host runs{}", *tag,
                           must_ask ? " if --isolation=process is given" : ""));
    }
    bool only_hyperv_is_missing = image.build <= host.version.build && !host.has_hyperv;
    if (only_hyperv_is_missing) {
        append(
            "enable Hyper-V (Enable-WindowsOptionalFeature -Online -FeatureName Microsoft-Hyper-V -All) "
            "and use --isolation=hyperv");
    }
    return hint;
}

[[noreturn]] void refuse(const std::optional<OsVersion>& named, const WindowsHost& host,
                         const std::string& reason) {
    OsVersion image = named.value_or(host.version);
    bool shares_kernel = against_process(image, host, true).empty();
    base::Error error =
        base::fail(ErrorCode::Unsupported, "{}: {}: {}",
                   shares_kernel ? "the container cannot run as asked for"
                                 : "the container operating system does not match the host operating system",
                   both_versions(named, host), reason);
    if (std::string hint = what_works(image, host, shares_kernel); !hint.empty()) error.hint(std::move(hint));
    throw error;
}

}  // namespace

Isolation parse_isolation(std::string_view name) {
    for (Isolation isolation : {Isolation::Auto, Isolation::Process, Isolation::HyperV}) {
        if (name == to_string(isolation)) return isolation;
    }
    if (name == "default") return Isolation::Auto;
    throw base::fail(ErrorCode::Invalid, "unknown isolation \"{}\" (auto, process, hyperv)", name);
}

const char* to_string(Isolation isolation) {
    switch (isolation) {
        case Isolation::Auto:
            return "auto";
        case Isolation::Process:
            return "process";
        case Isolation::HyperV:
            return "hyperv";
    }
    return "unknown";
}

IsolationChoice choose_isolation(Isolation wanted, const std::optional<OsVersion>& named,
                                 const WindowsHost& host) {
    OsVersion image = named.value_or(host.version);
    std::string process = against_process(image, host, wanted == Isolation::Process);
    std::string hyperv = against_hyperv(image, host);
    if (wanted != Isolation::HyperV && process.empty()) {
        return {Isolation::Process,
                fmt::format("the image's build {} runs on the host's {}", image.build, host.version.build)};
    }
    if (wanted == Isolation::Process) refuse(named, host, process);
    if (!hyperv.empty()) refuse(named, host, wanted == Isolation::Auto ? process + "; " + hyperv : hyperv);
    return {Isolation::HyperV, wanted == Isolation::HyperV ? "as asked for" : process};
}

std::string both_versions(const std::optional<OsVersion>& image, const WindowsHost& host) {
    return fmt::format("the image is Windows {}, the host Windows {}",
                       image ? text(*image) : "of no named version", text(host.version));
}

std::string after_mismatch(const std::optional<OsVersion>& image, const WindowsHost& host) {
    return what_works(image.value_or(host.version), host, false);
}

std::optional<std::string> image_tag_for(std::uint32_t build) {
    std::optional<std::string> best;
    for (const Release& release : kReleases) {
        if (runs_on({10, 0, release.build, 0}, {10, 0, build, 0})) best = release.tag;
    }
    return best;
}

}  // namespace mullion::oci
