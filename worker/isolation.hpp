// How a container is kept apart from its host: oci/isolation.hpp for the containers of this worker.
#pragma once

#include <optional>
#include <string>

#include "base/error.hpp"
#include "oci/isolation.hpp"
#include "solver/operation.hpp"
#include "worker/worker.hpp"

namespace mullion::worker {

// For an image of this os.version ("" if it names none). `host` is the Windows that runs it; nullopt is the
// emulation, which runs every version process isolated. Throws Unsupported with what works.
oci::IsolationChoice container_isolation(oci::Isolation wanted, const std::string& os_version,
                                         const std::optional<oci::WindowsHost>& host);

// The same for a RUN: its own setting counts before the build's.
oci::IsolationChoice step_isolation(const solver::StepSettings& settings, const std::string& os_version,
                                    const WorkerOptions& options);

// "process isolation: the image's build 20348 runs on the host's 26100"
std::string describe(const oci::IsolationChoice& choice);

// HCS' answer that image and host do not match, although the choice was made, with both versions and what
// works; nullopt for any other failure.
std::optional<base::Error> explained_mismatch(const base::Error& failure, const std::string& os_version,
                                              const std::optional<oci::WindowsHost>& host);

}  // namespace mullion::worker
