// Does a container work here? Tried with one.
#pragma once

#include <filesystem>

#include "base/cancel.hpp"
#include "worker/worker.hpp"

namespace mullion::cli {

// Runs a command in a container without an image and compares what it prints and its exit code. `directory`
// is empty and may have anything in it afterwards. Throws what went wrong.
void run_self_test(const worker::ComputeServices& services, const std::filesystem::path& directory,
                   const base::CancelToken& cancel);

}  // namespace mullion::cli
