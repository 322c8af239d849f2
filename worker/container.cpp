#include "worker/container.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/log.hpp"
#include "tree/name.hpp"
#include "tree/security_descriptor.hpp"
#include "worker/isolation.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

constexpr std::uint64_t kNanosecondsPerTick = 100;  // of HCS

// Profiles that belong to no account of their own.
constexpr std::array kSharedProfiles = {
    "Public",        "Default",      "Default User", "All Users", "ContainerAdministrator",
    "ContainerUser", "Administrator"};

}  // namespace

Container::Container(const ComputeServices& services, fs::path scratch, const ContainerSpec& spec,
                     const base::CancelToken& cancel)
    : compute_(*services.compute),
      storage_(*services.storage),
      scratch_(std::move(scratch)),
      time_limit_(spec.limits.time_limit) {
    hcs::ScratchOptions options;
    options.parents = spec.folders;
    options.os_version = spec.os_version;
    options.users = spec.users;
    storage_.create_scratch(scratch_, options);
    try {
        system_ = create(spec, cancel);
        started_ = std::chrono::steady_clock::now();
        system_->start(cancel);
    } catch (const base::Error& failure) {
        release();
        if (auto explained = explained_mismatch(failure, spec.os_version, spec.host)) throw *explained;
        throw;
    } catch (...) {
        release();
        throw;
    }
}

// Under Hyper-V isolation the scratch is the guest's: nothing of it is attached here.
std::unique_ptr<hcs::ComputeSystem> Container::create(const ContainerSpec& spec,
                                                      const base::CancelToken& cancel) {
    std::string id = "mullion-" + scratch_.filename().string();
    if (spec.isolation == oci::Isolation::HyperV) {
        return compute_.create_hyperv(id, document(spec, ""), scratch_, cancel);
    }
    return compute_.create(id, document(spec, storage_.attach(scratch_)), cancel);
}

Container::~Container() {
    release();
}

void Container::release() noexcept {
    try {
        system_.reset();  // terminates
        storage_.detach(scratch_);
        storage_.destroy(scratch_);
    } catch (const std::exception& error) {
        base::log("worker").error("removing the container in {}: {}", scratch_.string(), error.what());
    }
}

hcs::ComputeSystemDocument Container::document(const ContainerSpec& spec,
                                               const std::string& storage_path) const {
    hcs::ComputeSystemDocument document;
    document.Owner = "mullion";
    document.ShouldTerminateOnLastHandleClosed = true;
    hcs::Container& container = document.Container;
    if (!spec.host_name.empty()) container.GuestOs = hcs::GuestOs{spec.host_name};
    for (const fs::path& folder : spec.folders) {
        container.Storage.Layers.push_back({hcs::layer_id(folder.filename().string()), folder.string()});
    }
    container.Storage.Path = storage_path;
    if (spec.limits.memory_mb != 0) container.Memory = hcs::Memory{spec.limits.memory_mb};
    if (spec.limits.processors != 0) {
        container.Processor.emplace();
        container.Processor->Count = spec.limits.processors;
    }
    container.MappedDirectories = spec.mounts;
    container.MappedPipes = spec.pipes;
    container.Networking = compute_.networking(spec.network);
    return document;
}

std::uint32_t Container::run(const hcs::ProcessParameters& parameters, const hcs::ProcessStreams& streams,
                             const base::CancelToken& cancel) {
    auto process = system_->create_process(parameters, streams, cancel);
    std::optional<hcs::Process::Deadline> deadline;
    if (time_limit_) deadline = started_ + *time_limit_;
    hcs::ProcessStatus status = process->wait(deadline, cancel);
    if (!status.Exited) {
        system_->terminate();
        throw fail(ErrorCode::TimedOut, "the time limit of {} s is over", time_limit_->count())
            .hint("it was stopped with everything it had started; raise the limit if it needs longer");
    }
    if (status.LastWaitResult != 0) {
        throw fail(ErrorCode::Process, "the process ended without an exit code (0x{:08X})",
                   static_cast<std::uint32_t>(status.LastWaitResult));
    }
    return status.ExitCode;
}

// Nobody's step is to fail over numbers.
std::optional<base::ResourceUsage> Container::usage() {
    try {
        hcs::Statistics statistics = system_->statistics();
        base::ResourceUsage usage{
            std::chrono::nanoseconds(statistics.Processor.TotalRuntime100ns * kNanosecondsPerTick),
            statistics.Memory.MemoryUsageCommitPeakBytes, statistics.Storage.ReadSizeBytes,
            statistics.Storage.WriteSizeBytes};
        if (usage != base::ResourceUsage{}) return usage;
    } catch (const base::Error& error) {
        base::log("worker").warn("what {} used: {}", system_->id(), error.what());
    }
    return std::nullopt;
}

hcs::LayerChanges Container::shut_down(const base::CancelToken& cancel) {
    system_->shut_down(cancel);
    return storage_.export_layer(scratch_, cancel);
}

void require_services(const ComputeServices& services, std::string_view what) {
    if (services.compute != nullptr && services.storage != nullptr) return;
    throw fail(ErrorCode::Unsupported, "{} cannot run here: {}", what,
               services.missing.empty() ? "there is nothing to run containers with" : services.missing);
}

std::vector<std::string> image_users(const tree::Tree& tree) {
    std::vector<std::string> users;
    tree::NodeRef profiles = tree.find("Users");
    if (!profiles) return users;
    for (const tree::Child& child : profiles->children) {
        auto is_child = [&](std::string_view name) {
            return tree::names_equal(tree::Os::Windows, child.name, name);
        };
        bool shared = std::any_of(kSharedProfiles.begin(), kSharedProfiles.end(), is_child);
        if (!shared && child.node->kind == tree::NodeKind::Directory) users.push_back(child.name);
    }
    return users;
}

std::map<std::string, std::string> windows_environment(const std::vector<std::string>& entries) {
    std::map<std::string, std::string> spelling;  // folded -> name
    std::map<std::string, std::string> environment;
    for (const std::string& entry : entries) {
        std::size_t equals = entry.find('=');
        if (equals == std::string::npos || equals == 0) continue;
        std::string name = entry.substr(0, equals);
        std::string& known = spelling[tree::fold(tree::Os::Windows, name)];
        if (known.empty()) known = name;
        environment[known] = entry.substr(equals + 1);
    }
    return environment;
}

}  // namespace mullion::worker
