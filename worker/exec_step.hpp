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
#include "worker/secret_mask.hpp"
#include "worker/step_mounts.hpp"

namespace mullion::worker {

class ExecStep {
  public:
    // `inputs`: the root file system first. References must outlive the step.
    ExecStep(Worker::Parts& parts, const solver::ExecOperation& operation, std::vector<SnapshotRef> inputs,
             const solver::ExecContext& context);

    // Throws Process with the exit code and the end of the output if the process fails, and fails again as
    // often as the operation's settings say. No error names a secret that the step can see.
    SnapshotRef run();

  private:
    // The root file system as the process finds it, and what of the preparation belongs to the layer.
    struct Root {
        tree::Tree wanted;  // with the working directory
        tree::Tree staged;  // and with what is gone afterwards: the operation's files
        std::string command_line;
    };

    SnapshotRef try_once();
    Root prepare(const tree::Tree& lower) const;
    std::string add_file(tree::Tree& staged, const solver::StepFile& content) const;
    hcs::NetworkSpec network() const;
    hcs::ProcessParameters parameters(const Root& root, const StepMounts& mounts) const;
    void run_process(Container& container, const Root& root, const StepMounts& mounts);
    bool check_registry(const std::vector<hcs::RegistryChange>& changes) const;
    SnapshotRef snapshot(const tree::Tree& lower, const Root& root, const hcs::LayerChanges& changes,
                         base::FileTime started, bool registry_lost);
    bool mounts_registry_loss() const;

    Worker::Parts& parts_;
    const solver::ExecOperation& operation_;
    std::vector<SnapshotRef> inputs_;
    const solver::ExecContext& context_;
    SecretMask mask_;
    oci::Isolation isolation_ = oci::Isolation::Auto;
    base::FileTime epoch_;
    std::string owner_sid_;
};

}  // namespace mullion::worker
