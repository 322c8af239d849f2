// The main context where it is no directory: a git repository, what an HTTP server has, a tar on standard
// input. It is solved like any other source, before there is a Dockerfile.
#pragma once

#include "cli/build_inputs.hpp"
#include "cli/build_request.hpp"
#include "solver/solve.hpp"
#include "worker/worker.hpp"

namespace mullion::cli {

// True if the Dockerfile is to be found in a context that has to be fetched or unpacked first.
bool has_fetched_context(const BuildRequest& request);

// Fetches it, and reads the Dockerfile into `inputs` (unless that came from elsewhere). Completes
// request.frontend.remote_context. Throws NotFound for a context without Dockerfile.
void load_fetched_context(BuildInputs& inputs, BuildRequest& request, worker::Worker& worker,
                          solver::Solver& solver, const base::CancelToken& cancel);

// frontend::Options::source_time.
std::optional<base::FileTime> source_time(const solver::Edge& source, const BuildRequest& request,
                                          solver::Solver& solver, const base::CancelToken& cancel);

}  // namespace mullion::cli
