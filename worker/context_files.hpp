// Files of a context directory that the client reads before there is a build: the Dockerfile, the ignore
// file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mullion::worker {

// `name` (relative, or absolute) inside `directory`. Throws Invalid if it leads out of the directory, by ".."
// or through a symlink, or is no regular file or larger than `limit`; nullopt if there is none.
std::optional<std::string> read_context_file(const std::filesystem::path& directory, std::string_view name,
                                             std::size_t limit);

// The patterns of the ignore file that counts, comments and blank lines left out: `next_to_dockerfile` (a
// path) before `in_context` (".dockerignore" in the context). None of both: no patterns. Each is confined to
// its directory, as read_context_file has it: the Dockerfile may lie in a context that nobody has to trust.
// Throws Invalid naming file and line for a pattern that is none. See frontend::ignore_file_names.
std::vector<std::string> read_ignore_lines(const std::filesystem::path& next_to_dockerfile,
                                           const std::filesystem::path& in_context);

}  // namespace mullion::worker
