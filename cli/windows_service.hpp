// Services of Windows, as the service control manager knows them. Windows only.
#pragma once

#include <string>

#include "base/cancel.hpp"
#include "cli/windows_findings.hpp"

namespace mullion::cli {

ServiceState service_state(const std::string& name);

// Returns when it runs, at once if it does already. Throws Denied without administrators' rights, TimedOut.
void start_service(const std::string& name, const base::CancelToken& cancel);

}  // namespace mullion::cli
