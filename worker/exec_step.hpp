// One RUN: root file system on disk, container, process, changes, layer.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "solver/op.hpp"
#include "solver/operation.hpp"
#include "worker/container.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {

class ExecStep {
  public:
    // `inputs`: the root file system first. References must outlive the step.
    ExecStep(Worker::Parts& parts, const solver::ExecOperation& operation, std::vector<SnapshotRef> inputs,
             const solver::ExecContext& context);

    // Throws Process with the exit code and the end of the output if the process fails.
    SnapshotRef run();

  private:
    // The root file system as the process finds it, and what of the preparation belongs to the layer.
    struct Root {
        tree::Tree wanted;  // with the working directory
        tree::Tree staged;  // and with what is gone afterwards: the script, mount points
        std::string command_line;
    };

    Root prepare(const tree::Tree& lower) const;
    std::string script_path(tree::Tree& staged) const;
    std::vector<hcs::MappedDirectory> mounts(const std::filesystem::path& directory);
    hcs::ProcessParameters parameters(const Root& root) const;
    void run_process(Container& container, const Root& root);
    bool check_registry(const std::vector<hcs::RegistryChange>& changes) const;
    SnapshotRef snapshot(const tree::Tree& lower, const Root& root, const hcs::LayerChanges& changes,
                         base::FileTime started, bool registry_lost);
    bool mounts_registry_loss() const;

    Worker::Parts& parts_;
    const solver::ExecOperation& operation_;
    std::vector<SnapshotRef> inputs_;
    const solver::ExecContext& context_;
    base::FileTime epoch_;
    std::string owner_sid_;
};

// What a bind mount shows: a directory of its input. NotFound if it is not there, Unsupported if it is a
// file.
tree::Tree mount_tree(const solver::BindMount& mount, const Snapshot& from, const base::CancelToken& cancel);

}  // namespace mullion::worker
