// Making a Wine layer: tens of seconds of work that happens once.
#pragma once

#include <filesystem>
#include <set>

#include "base/cancel.hpp"

namespace mullion::hcs {

// Fills `directory` with root/, c/, registry/ and views/ (hcs/wine_layer.hpp) and runs the self-test: a
// window under a tight limit of processes. Returns the programs and libraries of the host that were copied.
// Throws Unavailable if the self-test fails.
std::set<std::filesystem::path> make_wine_layer(const std::filesystem::path& directory,
                                                const base::CancelToken& cancel);

}  // namespace mullion::hcs
