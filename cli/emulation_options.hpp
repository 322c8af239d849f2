// The emulation as this program uses it.
#pragma once

#include <filesystem>

#include "hcs/emulation.hpp"

namespace mullion::cli {

hcs::EmulationOptions emulation_options(const std::filesystem::path& state);

}  // namespace mullion::cli
