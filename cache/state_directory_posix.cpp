#include <unistd.h>

#include <cstdlib>

#include "base/error.hpp"
#include "cache/state.hpp"

namespace mullion::cache {

namespace fs = std::filesystem;

namespace {

// Empty variables count as unset; the XDG Base Directory Specification says so of its own.
const char* variable(const char* name) {
    const char* value = std::getenv(name);
    return value != nullptr && *value != '\0' ? value : nullptr;
}

}  // namespace

fs::path default_state_directory() {
    if (const char* state = variable("MULLION_STATE")) return state;
    if (::geteuid() == 0) return "/var/lib/mullion";
    // Relative paths in XDG_STATE_HOME are to be ignored.
    if (const char* home = variable("XDG_STATE_HOME"); home != nullptr && *home == '/')
        return fs::path(home) / "mullion";
    if (const char* home = variable("HOME")) return fs::path(home) / ".local" / "state" / "mullion";
    throw base::fail(base::ErrorCode::Invalid,
                     "no place for the state directory: neither XDG_STATE_HOME nor HOME is set")
        .hint("choose one with --state or MULLION_STATE");
}

}  // namespace mullion::cache
