// Which sources of ADD and COPY, and which contexts, are not paths (dockerfile.md §7, §10).
#pragma once

#include <string_view>

namespace mullion::frontend {

// git://, ssh://, user@host:path, and http(s) URLs whose path ends in ".git".
bool is_git_source(std::string_view source);
// The same for contexts, where "github.com/OWNER/REPOSITORY" will do.
bool is_git_context(std::string_view context);
// http(s) URLs that are no git repository.
bool is_url_source(std::string_view source);

}  // namespace mullion::frontend
