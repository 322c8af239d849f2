// "# mullion: memory=2g timeout=10m retry=3" directly above a RUN: how one step is run (docs/mounts.md).
//
// A comment, so that every other builder and every check takes the file as it is; flags of these names stay
// unknown. See docs/decisions/0009-step-settings.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "solver/operation.hpp"

namespace mullion::frontend {

// Whether the text of a comment is one of ours.
bool is_step_setting(std::string_view comment);

// What those of ours among the comments above a RUN say. Throws Invalid for names and values that mean
// nothing and for repeats.
solver::StepSettings parse_step_settings(const std::vector<std::string>& comments);

// What to write instead of a flag of that name ("memory"); empty if there is no such setting.
std::string step_setting_instead_of_flag(std::string_view flag);

}  // namespace mullion::frontend
