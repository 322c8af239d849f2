// The checks of doctor. Each list refers to the context, which must outlive it; later checks skip themselves
// where what an earlier one looks at is missing, so that one cause is told once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "cli/context.hpp"
#include "cli/doctor.hpp"

namespace mullion::cli {

std::vector<Check> state_checks(Context& context);
// What this kind of system has to offer for containers.
std::vector<Check> host_checks(Context& context);
// Programs of others that some commands call.
std::vector<Check> tool_checks(Context& context);

// For checks of what lies in the state directory: opened as every command does; nullopt if that fails.
std::optional<std::filesystem::path> usable_state(Context& context);
// What such checks find then.
Finding no_usable_state();

Finding free_space_finding(std::uintmax_t bytes, const std::filesystem::path& directory);

}  // namespace mullion::cli
