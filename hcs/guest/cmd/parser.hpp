// From lines to commands.
#pragma once

#include "hcs/guest/cmd/syntax.hpp"

namespace mullion::cmd {

// Further lines, percent signs expanded and without line ends: asked for by a caret at the end of a line and
// by a parenthesis that is open.
class LineSource {
  public:
    virtual ~LineSource() = default;
    virtual std::optional<Text> next_line() = 0;
};

// nullptr if there is nothing to run (an empty line, a label). Throws Failure where Windows reports a
// mistake: then nothing of the line has run.
CommandPtr parse(Text line, LineSource& more);

// The same for one command as CALL runs it: blocks, operators, IF and FOR are no commands then.
CommandPtr parse_simple(Text line);

}  // namespace mullion::cmd
