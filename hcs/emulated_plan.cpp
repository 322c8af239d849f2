#include "hcs/emulated_plan.hpp"

#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/error.hpp"
#include "base/private_file.hpp"
#include "hcs/layer_stack.hpp"
#include "tree/name.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
namespace fs = std::filesystem;

constexpr const char* kDefaultHostName = "mullion";
constexpr std::size_t kMaxHostName = 63;
constexpr std::size_t kMaxPipeName = 200;
constexpr const char* kHostsFile = "Windows/System32/drivers/etc/hosts";

[[noreturn]] void unsupported(const char* member, const char* why) {
    throw base::fail(ErrorCode::Unsupported, "$.{}: {}", member, why);
}

std::uint64_t host_memory() {
    return static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES)) *
           static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

ResourceLimits limits_of(const Container& container, const EmulationOptions& options) {
    ResourceLimits limits;
    limits.tasks = options.limits.tasks;
    std::uint64_t megabytes = container.Memory ? container.Memory->SizeInMB : 0;
    if (megabytes == 0) megabytes = options.limits.memory_in_mb;
    limits.memory_bytes = megabytes != 0 ? megabytes << 20 : host_memory() / 4 * 3;
    if (!container.Processor) return limits;
    const Processor& processor = *container.Processor;
    if (processor.Count != 0) limits.processors = processor.Count;
    if (processor.Maximum != 0) {
        limits.processors =
            static_cast<double>(::sysconf(_SC_NPROCESSORS_ONLN)) * processor.Maximum / 10000.0;
    }
    if (processor.Weight != 0) limits.weight = processor.Weight;
    return limits;
}

void check_host_name(const std::string& name) {
    auto legal = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-'; };
    if (name.size() > kMaxHostName || !std::all_of(name.begin(), name.end(), legal)) {
        throw base::fail(ErrorCode::Invalid, "$.Container.GuestOs.HostName: {} is no host name",
                         tree::printable(name));
    }
}

void check_networking(const Networking& networking, const EmulationOptions& options) {
    if (!options.allow_host_network) {
        unsupported("Container.Networking", "sharing the host's network was not allowed");
    }
    if (networking.AllowUnqualifiedDnsQuery || !networking.DnsSearchList.empty()) {
        unsupported("Container.Networking", "the emulation takes the host's name resolution as it is");
    }
}

// The size of a directory in memory; nullopt for what lies on the host.
std::optional<std::uint64_t> memory_size(const MappedDirectory& mapping) {
    std::string_view text = mapping.HostPath;
    if (!text.starts_with(kMemoryDirectory)) return std::nullopt;
    text.remove_prefix(std::string_view(kMemoryDirectory).size());
    std::uint64_t size = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || end != text.data() + text.size()) {
        throw base::fail(ErrorCode::Invalid, "$.Container.MappedDirectories: {} is no size of memory",
                         tree::printable(mapping.HostPath));
    }
    return size;
}

void check_mapping(const MappedDirectory& mapping) {
    if (!memory_size(mapping) && !fs::path(mapping.HostPath).is_absolute()) {
        throw base::fail(ErrorCode::Invalid, "$.Container.MappedDirectories: {} is not absolute",
                         mapping.HostPath);
    }
    std::string path = tree::normalise(tree::Os::Windows, mapping.ContainerPath);
    if (path.empty())
        unsupported("Container.MappedDirectories.ContainerPath", "C:\\ itself cannot be mapped");
    for (std::string_view name : tree::split(path)) {
        if (std::optional<std::string> problem = tree::name_problem(tree::Os::Windows, name)) {
            throw base::fail(ErrorCode::Invalid, "$.Container.MappedDirectories: {} {}",
                             tree::printable(name), *problem);
        }
    }
}

void check_pipes(const std::vector<MappedPipe>& pipes) {
    std::set<std::string> names;
    for (const MappedPipe& pipe : pipes) {
        if (!fs::path(pipe.HostPath).is_absolute() || pipe.HostPath.size() >= sizeof(sockaddr_un::sun_path)) {
            throw base::fail(ErrorCode::Invalid, "$.Container.MappedPipes: {} is no address of a socket",
                             tree::printable(pipe.HostPath));
        }
        const std::string& name = pipe.ContainerPipeName;
        auto legal = [](unsigned char c) { return c > ' ' && c < 0x7f && c != '\\' && c != '/'; };
        if (name.empty() || name.size() > kMaxPipeName || !std::all_of(name.begin(), name.end(), legal)) {
            throw base::fail(ErrorCode::Invalid, "$.Container.MappedPipes: \"{}\" is no name of a pipe",
                             tree::printable(name));
        }
        if (!names.insert(tree::fold(tree::Os::Windows, name)).second)
            throw base::fail(ErrorCode::Invalid, "$.Container.MappedPipes: {} is mapped twice", name);
    }
}

}  // namespace

void check_supported(const ComputeSystemDocument& document, const EmulationOptions& options) {
    const Container& container = document.Container;
    if (!document.ShouldTerminateOnLastHandleClosed) {
        unsupported("ShouldTerminateOnLastHandleClosed",
                    "containers of the emulation do not outlive their engine");
    }
    if (container.Storage.QoS) unsupported("Container.Storage.QoS", "not supported by the emulation");
    check_pipes(container.MappedPipes);
    if (!container.AssignedDevices.empty())
        unsupported("Container.AssignedDevices", "not supported by the emulation");
    if (container.RegistryChanges) unsupported("Container.RegistryChanges", "not supported by the emulation");
    if (container.GuestOs) check_host_name(container.GuestOs->HostName);
    if (container.Networking) check_networking(*container.Networking, options);
    for (const MappedDirectory& mapping : container.MappedDirectories) check_mapping(mapping);
}

void check_matches(const ComputeSystemDocument& document, const Scratch& scratch) {
    const std::vector<Layer>& layers = document.Container.Storage.Layers;
    auto same = [](const Layer& layer, const fs::path& parent) {
        return fs::path(layer.Path).lexically_normal() == parent.lexically_normal();
    };
    if (!std::equal(layers.begin(), layers.end(), scratch.parents.begin(), scratch.parents.end(), same)) {
        throw base::fail(ErrorCode::Invalid,
                         "$.Container.Storage.Layers: not the layers the scratch was made for");
    }
    // It is in the registry that the first system left.
    const std::optional<GuestOs>& os = document.Container.GuestOs;
    bool another = os && !os->HostName.empty() && os->HostName != scratch.host_name;
    if (another && !scratch.host_name.empty()) {
        throw base::fail(ErrorCode::Invalid, "$.Container.GuestOs.HostName: the scratch is of the host {}",
                         scratch.host_name);
    }
}

namespace {

BoxMapping plan_mapping(const MappedDirectory& mapping, const std::string& path,
                        const ResourceLimits& limits) {
    BoxMapping planned{BoxMapping::Kind::Bind, mapping.HostPath, path, mapping.ReadOnly};
    if (std::optional<std::uint64_t> size = memory_size(mapping)) {
        planned.kind = BoxMapping::Kind::Memory;
        planned.size = *size != 0 ? *size : limits.memory_bytes;
    } else if (base::PrivateFile::is_name(mapping.HostPath)) {
        planned.kind = BoxMapping::Kind::Copy;
    }
    return planned;
}

}  // namespace

std::string host_name_of(const ComputeSystemDocument& document) {
    const std::optional<GuestOs>& os = document.Container.GuestOs;
    return os && !os->HostName.empty() ? os->HostName : kDefaultHostName;
}

BoxPlan plan_box(const ComputeSystemDocument& document, const EmulationOptions& options, Scratch& scratch) {
    const Container& container = document.Container;
    BoxPlan plan;
    plan.upper = scratch.upper();
    plan.work = scratch.work();
    plan.prefix = scratch.prefix();
    plan.hostname = scratch.host_name;
    plan.own_network = !container.Networking;
    plan.limits = limits_of(container, options);
    plan.time_limit = options.limits.time_limit;
    LayerStack image(scratch.layer_files());
    for (const MappedDirectory& mapping : container.MappedDirectories) {
        std::string path = image.fold_to_casing(tree::normalise(tree::Os::Windows, mapping.ContainerPath));
        plan.mappings.push_back(plan_mapping(mapping, path, plan.limits));
        if (tree::names_equal(tree::Os::Windows, path, kHostsFile)) {
            plan.mappings.push_back(plan.mappings.back());
            plan.mappings.back().target = "/etc/hosts";  // where Wine looks names up
        }
        for (std::string_view each = path; !each.empty(); each = tree::parent_of(each)) {
            if (!image.find(each)) scratch.mount_points.emplace_back(each);
        }
    }
    return plan;
}

}  // namespace mullion::hcs
