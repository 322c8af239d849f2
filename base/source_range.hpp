// A range of a source text, for errors that point at the user's file. A leaf type: it includes nothing of
// ours.
#pragma once

#include <string>

namespace mullion::base {

// Lines and columns count from 1; a column of 0 means "the whole line". `last_*` are inclusive.
struct SourceRange {
    std::string file;
    int first_line = 0;
    int last_line = 0;
    int first_column = 0;
    int last_column = 0;

    bool operator==(const SourceRange&) const = default;
};

}  // namespace mullion::base
