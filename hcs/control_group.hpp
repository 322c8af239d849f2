// The control group of a box: limits on tasks, memory and CPU time, for cgroup v1 (a directory per
// controller) and v2 (one directory).
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/handle.hpp"

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

    // Files a process writes "0" to in order to join.
    std::vector<base::UniqueFd> open_join_files() const;

    // How often a limit was hit.
    std::uint64_t task_refusals() const;
    std::uint64_t memory_kills() const;

  private:
    void make(const ResourceLimits& limits);
    std::string make_groups(const std::vector<std::filesystem::path>& parents);
    void limit_v1(const ResourceLimits& limits, const std::filesystem::path& cpu);
    void limit_v2(const ResourceLimits& limits);
    void remove();

    bool unified_ = false;
    std::vector<std::filesystem::path> directories_;
    std::filesystem::path pids_;
    std::filesystem::path memory_;
};

}  // namespace mullion::hcs
