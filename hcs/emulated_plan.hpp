// From a compute system document to a box.
#pragma once

#include "hcs/box.hpp"
#include "hcs/emulation.hpp"
#include "hcs/scratch.hpp"

namespace mullion::hcs {

// The HostPath of a directory in memory begins so; its size in bytes follows.
inline constexpr const char* kMemoryDirectory = "memory:";

// Throws Unsupported for what the emulation cannot do and Invalid for what contradicts the scratch, naming
// the member.
void check_supported(const ComputeSystemDocument& document, const EmulationOptions& options);
void check_matches(const ComputeSystemDocument& document, const Scratch& scratch);

std::string host_name_of(const ComputeSystemDocument& document);

// The plan but for the files of Wine; `scratch` has its host name by now; mount points that do not exist in
// the image are added to `scratch`.
BoxPlan plan_box(const ComputeSystemDocument& document, const EmulationOptions& options, Scratch& scratch);

}  // namespace mullion::hcs
