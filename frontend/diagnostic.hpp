// Showing where in a Dockerfile something is wrong (dockerfile.md §17).
#pragma once

#include <string>
#include <string_view>

#include "base/source_range.hpp"

namespace mullion::frontend {

// `range` narrowed to where `subject` stands in it, as a whole word if it does; case, and slashes of either
// kind, are the same here. Without it: a range of one line narrows to the text of that line, a longer one
// stays.
base::SourceRange narrowed(std::string_view text, base::SourceRange range, std::string_view subject);

// The lines of `range` marked with ">>>", some context around them, file and line above. Columns, where the
// range has them, are marked too:
//
//     Dockerfile:3:1
//     --------------------
//        2 |     RUN x
//        3 | >>> RUM y
//          |     ^~~
//        4 |     CMD z
//     --------------------
//
// Ends with a line feed; empty if `text` has no such lines. Monstrous lines are cut, without a mark below
// them.
std::string excerpt(std::string_view text, const base::SourceRange& range);

}  // namespace mullion::frontend
