// What the emulation needs of the kernel, found out by using each thing in a child that ends at once. For
// telling the user what is missing; a box itself says only where it failed (hcs/box.hpp).
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mullion::hcs {

// The namespaces that we may not make here, of those a box has ("user", "mount", ...). Root needs no user
// namespace.
std::vector<std::string> refused_namespaces();

// Why no overlay works whose writable part is in `directory` (which must exist and be ours to write; nothing
// is left in it), as the kernel says it; nullopt if one does.
std::optional<std::string> overlay_problem(const std::filesystem::path& directory);

// Why system calls of a program cannot be filtered (seccomp).
std::optional<std::string> call_filter_problem();

// Why a program cannot be given the same addresses at every start (personality).
std::optional<std::string> fixed_addresses_problem();

}  // namespace mullion::hcs
