// What of the Host Compute System is on this Windows, for those who only look. Windows only; names no type of
// windows.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace mullion::hcs {

// What is wrong with the libraries that we call: those that are missing, or lack a function. Empty if
// everything is there.
std::vector<std::string> missing_libraries();

// The name of the NAT network that containers get; nullopt if none is there yet. Throws Unsupported on a
// Windows without HCN.
std::optional<std::string> nat_network();
// Quiet if there is one.
void make_nat_network();

}  // namespace mullion::hcs
