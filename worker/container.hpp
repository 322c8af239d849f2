// One container for the time of its life: scratch, compute system, processes.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/progress.hpp"
#include "hcs/compute_system.hpp"
#include "hcs/layer_storage.hpp"
#include "tree/tree.hpp"
#include "worker/worker.hpp"

namespace mullion::worker {

struct ContainerSpec {
    std::vector<std::filesystem::path> folders;  // layer folders, topmost first
    std::string os_version;
    oci::Isolation isolation = oci::Isolation::Process;  // or HyperV
    std::optional<oci::WindowsHost> host;                // for messages
    std::vector<std::string> users;                      // besides the built-in ones
    std::vector<hcs::MappedDirectory> mounts;
    std::vector<hcs::MappedPipe> pipes;
    Limits limits;
    hcs::NetworkSpec network;
    std::string host_name;
};

// Running when constructed; destroyed, nothing is left of it, not even its scratch.
class Container {
  public:
    // `services` has both services (see require_services). `scratch` is a path that does not exist yet; its
    // name must be unique, since it names the system.
    Container(const ComputeServices& services, std::filesystem::path scratch, const ContainerSpec& spec,
              const base::CancelToken& cancel);
    ~Container();
    Container(const Container&) = delete;
    Container& operator=(const Container&) = delete;

    // Runs one process to its end. TimedOut when the time limit, counted from the container's start, is over.
    std::uint32_t run(const hcs::ProcessParameters& parameters, const hcs::ProcessStreams& streams,
                      const base::CancelToken& cancel);
    // What it has used so far; nullopt if nobody counts, or, with a line in the log, if that cannot be had.
    std::optional<base::ResourceUsage> usage();
    // Ends the container and tells what it changed.
    hcs::LayerChanges shut_down(const base::CancelToken& cancel);

  private:
    std::unique_ptr<hcs::ComputeSystem> create(const ContainerSpec& spec, const base::CancelToken& cancel);
    hcs::ComputeSystemDocument document(const ContainerSpec& spec, const std::string& storage_path) const;
    void release() noexcept;

    hcs::ComputeService& compute_;
    hcs::LayerStorage& storage_;
    std::filesystem::path scratch_;
    std::chrono::steady_clock::time_point started_;
    std::optional<std::chrono::seconds> time_limit_;
    std::unique_ptr<hcs::ComputeSystem> system_;
};

// Throws Unsupported, with the reason, if there is nothing to run containers with.
void require_services(const ComputeServices& services, std::string_view what);

// The accounts of an image besides the built-in ones, from its profile directories.
std::vector<std::string> image_users(const tree::Tree& tree);

// "K=V" entries as a Windows environment: of names that differ only by case the last one counts.
std::map<std::string, std::string> windows_environment(const std::vector<std::string>& entries);

}  // namespace mullion::worker
