// Variables in a command: three kinds, replaced at three different times.
#pragma once

#include "hcs/guest/cmd/text.hpp"

namespace mullion::cmd {

// What expansion asks of the interpreter.
class Scope {
  public:
    virtual ~Scope() = default;
    virtual std::optional<Text> variable(View name) const = 0;  // dynamic ones too
    virtual bool in_script() const = 0;
    virtual Text argument(std::size_t index) const = 0;       // of the script, %0 to %9
    virtual Text path_argument(std::size_t index) const = 0;  // the same, %0 the script's own path
    virtual Text all_arguments() const = 0;
    virtual const Text* loop_variable(wchar_t name) const = 0;  // nullptr: there is none
    // %~dpnx: `modifiers` are letters; `search` is the variable of "$PATH:" or "".
    virtual Text path_part(View value, View modifiers, View search) const = 0;
};

// %NAME%, %NAME:a=b%, %NAME:~1,2%, %1, %*, %~dp0. A whole line, before it is parsed. An undefined variable
// is nothing in a script and stays as it is on the command line.
Text expand_percents(View line, const Scope& scope);

// %i and %~nxi of FOR, in one piece of a parsed command just before it runs.
Text expand_loop_variables(View text, const Scope& scope);

// !NAME! and carets, likewise; texts without "!" stay as they are. Undefined ones are as with percent signs.
Text expand_delayed(View text, const Scope& scope);

}  // namespace mullion::cmd
