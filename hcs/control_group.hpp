// The control group of a box: limits on tasks, memory and CPU time, and what was used, for cgroup v1 (a
// directory per controller) and v2 (one directory).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/handle.hpp"
#include "hcs/schema.hpp"

namespace mullion::hcs {

struct ResourceLimits {
    std::uint32_t tasks = 0;
    std::uint64_t memory_bytes = 0;
    std::optional<double> processors;     // how many CPUs' worth of time
    std::optional<std::uint32_t> weight;  // 1..10000, 100 is normal
};

// Exists as long as the object: the destructor waits until it is empty (the box must have been killed) and
// removes it.
class ControlGroup {
  public:
    // Throws Denied or Unsupported if there is none to be had (not root and nothing delegated), Internal if a
    // limit does not stick.
    explicit ControlGroup(const ResourceLimits& limits);
    ~ControlGroup();
    ControlGroup(const ControlGroup&) = delete;
    ControlGroup& operator=(const ControlGroup&) = delete;

    // Of the kernel's interface: 1 or 2.
    int version() const { return unified_ ? 2 : 1; }

    // Files a process writes "0" to in order to join.
    std::vector<base::UniqueFd> open_join_files() const;

    // How often a limit was hit.
    std::uint64_t task_refusals() const;
    std::uint64_t memory_kills() const;

    // What its processes have used so far, as far as the kernel counts it: memory with the cache of files
    // that the limit counts too, storage as bytes that disks moved. Uptime is left out.
    Statistics statistics() const;

  private:
    void make(const ResourceLimits& limits);
    std::string make_groups(const std::vector<std::filesystem::path>& parents);
    void limit_v1(const ResourceLimits& limits, const std::filesystem::path& cpu);
    void limit_v2(const ResourceLimits& limits);
    void account(const std::filesystem::path& parent, const std::string& name, std::filesystem::path& group);
    void read_v1(Statistics& statistics) const;
    void read_v2(Statistics& statistics) const;
    void remove();

    bool unified_ = false;
    std::vector<std::filesystem::path> directories_;
    std::filesystem::path pids_;
    std::filesystem::path memory_;
    std::filesystem::path processor_;  // empty: nobody counts
    std::filesystem::path storage_;
};

}  // namespace mullion::hcs
