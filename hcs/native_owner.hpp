// Whose something is that outlives a killed process: "PID-BIRTH", where the birth tells apart two processes
// that had the same number one after the other.
#pragma once

#include <string>
#include <string_view>

namespace mullion::hcs {

std::string this_process();
// Is the process gone? In doubt, and for text of another form, it is not.
bool is_gone(std::string_view process);

}  // namespace mullion::hcs
