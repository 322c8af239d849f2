#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "cli/doctor_posix.hpp"
#include "hcs/box.hpp"
#include "hcs/control_group.hpp"
#include "hcs/kernel_probe.hpp"

namespace mullion::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSysctlSize = 256;
constexpr const char* kInContainer =
    "if this is a container itself: start it with more rights (docker run --privileged)";

bool is_root() {
    return ::geteuid() == 0;
}

Finding kernel() {
    utsname name{};
    ::uname(&name);
    std::string found = fmt::format("{} {} {}", name.sysname, name.release, name.machine);
    if (std::string_view(name.machine) == "x86_64") return {Health::Ok, found, ""};
    return {Health::Problem, found + ": containers need x86_64", "build on a machine with an x86_64 kernel"};
}

// A switch of the kernel below /proc/sys and the value that forbids ordinary users a namespace.
struct Switch {
    const char* name;  // as sysctl(8) writes it
    const char* file;
    const char* forbids;
    const char* allows;
};
constexpr Switch kSwitches[] = {
    {"user.max_user_namespaces", "user/max_user_namespaces", "0", "15000"},
    {"kernel.unprivileged_userns_clone", "kernel/unprivileged_userns_clone", "0", "1"},
    {"kernel.apparmor_restrict_unprivileged_userns", "kernel/apparmor_restrict_unprivileged_userns", "1",
     "0"},
};

std::string namespace_fix() {
    for (const Switch& each : kSwitches) {
        auto value = base::try_read_file(fs::path("/proc/sys") / each.file, kSysctlSize);
        if (!is_root() && value && value->starts_with(each.forbids)) {
            return fmt::format("as root: sysctl -w {}={}; or run mullion as root", each.name, each.allows);
        }
    }
    return kInContainer;
}

Finding namespaces() {
    std::vector<std::string> refused = hcs::refused_namespaces();
    if (!refused.empty()) {
        return {Health::Problem, fmt::format("the kernel refuses us: {}", fmt::join(refused, ", ")),
                namespace_fix()};
    }
    if (std::optional<std::string> problem = hcs::box_problem()) {
        return {Health::Problem, *problem, namespace_fix()};
    }
    return {Health::Ok, fmt::format("{}mount, pid, ipc, uts, cgroup, net", is_root() ? "" : "user, "), ""};
}

Finding overlayfs(Context& context) {
    if (!usable_state(context)) return no_usable_state();
    std::optional<std::string> problem = hcs::overlay_problem(context.state().temporary_directory());
    if (!problem) return {Health::Ok, is_root() ? "works" : "works in a user namespace", ""};
    std::string fix = "put the state directory on a local disk (ext4, XFS) with --state or MULLION_STATE";
    if (!is_root()) fix += "; ordinary users need Linux 5.11 or later";
    return {Health::Problem, fmt::format("does not work in the state directory: {}", *problem), fix};
}

Finding control_groups() {
    constexpr hcs::ResourceLimits kLimits{
        .tasks = 16, .memory_bytes = std::uint64_t{64} << 20, .processors = 1.0, .weight = {}};
    try {
        hcs::ControlGroup group(kLimits);
        return {Health::Ok, fmt::format("version {}: processes, memory, processors", group.version()), ""};
    } catch (const base::Error& error) {
        if (is_root()) return {Health::Problem, error.what(), kInContainer};
        return {
            Health::Warning,
            fmt::format("{}; memory is limited for each process alone, and --cpus is refused", error.what()),
            "run mullion as root; where control groups have version 2 also by: systemd-run --user --scope -p "
            "Delegate=yes mullion ..."};
    }
}

Finding call_filter() {
    std::optional<std::string> problem = hcs::call_filter_problem();
    if (!problem) return {Health::Ok, "works", ""};
    return {Health::Problem, fmt::format("system calls cannot be filtered: {}", *problem),
            "use a kernel with CONFIG_SECCOMP_FILTER"};
}

// Without it a start of Wine in some thousands fails (docs/emulation.md).
Finding fixed_addresses() {
    std::optional<std::string> problem = hcs::fixed_addresses_problem();
    if (!problem) return {Health::Ok, "work", ""};
    return {Health::Warning,
            fmt::format("programs cannot be given fixed addresses ({}): once in some thousand starts a "
                        "program ends at once",
                        *problem),
            kInContainer};
}

}  // namespace

std::vector<Check> kernel_checks(Context& context) {
    return {{"kernel", kernel},
            {"namespaces", namespaces},
            {"overlayfs", [&context] { return overlayfs(context); }},
            {"control-groups", control_groups},
            {"call-filter", call_filter},
            {"fixed-addresses", fixed_addresses}};
}

}  // namespace mullion::cli
