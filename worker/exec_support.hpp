// What a RUN may ask for and containers here cannot do, found before anything runs.
#pragma once

#include <string>
#include <vector>

#include "solver/operation.hpp"
#include "solver/vertex.hpp"
#include "worker/worker.hpp"

namespace mullion::worker {

// Throws Unsupported, Denied or NotFound (an agent that is required) naming the option, or Invalid for what
// can never work.
void refuse_unsupported(const solver::ExecOperation& operation, const WorkerOptions& options);

// The same for every RUN that the targets need; the error has the step's place in the Dockerfile. False if
// there is none.
bool refuse_unsupported(const std::vector<solver::Edge>& targets, const WorkerOptions& options);

// Which isolation the Windows images of those RUNs get, and why, in words. Errors as above.
std::vector<std::string> choose_isolation(const std::vector<solver::Edge>& targets,
                                          const WorkerOptions& options);

}  // namespace mullion::worker
