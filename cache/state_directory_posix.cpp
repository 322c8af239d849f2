#include <unistd.h>

#include "base/environment.hpp"
#include "base/error.hpp"
#include "cache/state.hpp"

namespace mullion::cache {

namespace fs = std::filesystem;

fs::path default_state_directory() {
    if (auto state = base::environment_unless_empty("MULLION_STATE")) return *state;
    if (::geteuid() == 0) return "/var/lib/mullion";
    // Relative paths in XDG_STATE_HOME are to be ignored.
    if (auto home = base::environment("XDG_STATE_HOME"); home && home->starts_with('/')) {
        return fs::path(*home) / "mullion";
    }
    if (auto home = base::environment_unless_empty("HOME")) {
        return fs::path(*home) / ".local" / "state" / "mullion";
    }
    throw base::fail(base::ErrorCode::Invalid,
                     "no place for the state directory: neither XDG_STATE_HOME nor HOME is set")
        .hint("choose one with --state or MULLION_STATE");
}

}  // namespace mullion::cache
