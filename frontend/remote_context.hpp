// Contexts that are no directory of the client: git repositories, tar files and Dockerfiles on HTTP servers
// (dockerfile.md §7, §14).
#pragma once

#include "frontend/convert.hpp"
#include "oci/platform.hpp"
#include "solver/vertex.hpp"

namespace mullion::frontend {

// The name under which an HTTP context has its file.
constexpr const char* kHttpContextFile = "context";

// The file system of Options::remote_context, for stages of `platform`. Solve it to find the Dockerfile.
solver::Edge remote_context(const Options& options, const oci::Platform& platform);

// The main context where it is the client's: a directory, or a tar file in its place.
solver::Edge client_context(const Options& options, const oci::Platform& platform);

}  // namespace mullion::frontend
