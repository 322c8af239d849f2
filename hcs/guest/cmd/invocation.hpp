// The interpreter's own command line.
#pragma once

#include <functional>

#include "hcs/guest/cmd/text.hpp"

namespace mullion::cmd {

struct Invocation {
    std::optional<Text> command;  // of /c or /k
    bool stays = false;           // /k, or neither
    bool quiet = false;           // /q
    bool unicode_output = false;  // /u
    bool delayed_expansion = false;
    bool extensions = true;
    Text unknown;  // a switch that is none of Windows'
};

// `line` begins with the interpreter's own name. `is_program` says whether a path names a program: that
// decides whether the quotes around it stay.
Invocation parse_invocation(View line, const std::function<bool(View)>& is_program);

}  // namespace mullion::cmd
