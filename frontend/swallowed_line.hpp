// The mistake of Dockerfiles for Windows: a path that ends in a backslash, which is also the escape
// character.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace mullion::frontend {

// The first of the lines `first` to `last` (counted from 1) that a backslash continues although it looks like
// the end of a Windows path: "COPY app C:\app\". For files whose escape character is the backslash.
std::optional<int> line_swallowing_next(const std::vector<std::string_view>& lines, int first, int last);

}  // namespace mullion::frontend
