#include "base/environment.hpp"
#include "base/error.hpp"
#include "base/path_text.hpp"
#include "cache/state.hpp"

namespace mullion::cache {

std::filesystem::path default_state_directory() {
    if (auto state = base::environment_unless_empty("MULLION_STATE")) return base::to_path(*state);
    if (auto data = base::environment_unless_empty("ProgramData")) return base::to_path(*data) / "mullion";
    throw base::fail(base::ErrorCode::Invalid, "no place for the state directory: ProgramData is not set")
        .hint("choose one with --state or MULLION_STATE");
}

}  // namespace mullion::cache
