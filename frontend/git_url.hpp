// Git repositories as URLs: REMOTE[?KEY=VALUE&...][#REF[:SUBDIR]] (dockerfile.md §10).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "solver/operation.hpp"

namespace mullion::frontend {

struct GitUrl {
    std::string remote;
    std::string reference;
    std::string subdirectory;  // tree path
    std::string checksum;
    std::optional<bool> keep_git_directory;
    std::optional<bool> submodules;
    bool checkout_times = false;
    bool fetch_by_commit = false;

    // For a text that is_git_source() or is_git_context() is true for. Throws Invalid for unknown query keys,
    // values they cannot have, and keys that contradict one another.
    static GitUrl parse(std::string_view text);

    solver::GitSource source() const;
};

}  // namespace mullion::frontend
