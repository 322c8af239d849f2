// Showing where in a Dockerfile something is wrong (dockerfile.md §17).
#pragma once

#include <string>
#include <string_view>

#include "base/source_range.hpp"

namespace mullion::frontend {

// The lines of `range` marked with ">>>", some context around them, file and line above:
//
//     Dockerfile:3
//     --------------------
//        2 |     RUN x
//        3 | >>> RUM y
//        4 |     CMD z
//     --------------------
//
// Ends with a line feed; empty if `text` has no such lines.
std::string excerpt(std::string_view text, const base::SourceRange& range);

}  // namespace mullion::frontend
