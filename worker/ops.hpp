// The ops of solver/operation.hpp, one maker each. Internal to the room; see Worker::resolve.
#pragma once

#include <memory>

#include "oci/platform.hpp"
#include "solver/op.hpp"
#include "solver/operation.hpp"
#include "worker/worker.hpp"

namespace mullion::worker {

// What every maker gets besides the operation. `parts` outlives the op.
struct OpSetting {
    Worker::Parts& parts;
    oci::Platform platform;
    std::size_t input_count = 0;
};

std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::ImageSource& operation);
std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::LocalSource& operation);
std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::HttpSource& operation);
std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::GitSource& operation);
std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::ScratchSource& operation);
std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::FileOperation& operation);
std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::MergeOperation& operation);
std::unique_ptr<solver::Op> make_op(OpSetting setting, const solver::ExecOperation& operation);

}  // namespace mullion::worker
