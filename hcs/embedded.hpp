// Programs the engine carries with it, so that one binary suffices.
#pragma once

#include <string_view>

namespace mullion::hcs {

std::string_view box_program();               // hcs/box_init: Linux, static
std::string_view runner_program();            // hcs/guest/runner.c
std::string_view window_program();            // hcs/guest/window.c
std::string_view pipe_program();              // hcs/guest/pipe.c
std::string_view bcryptprimitives_library();  // hcs/guest/bcryptprimitives.c
std::string_view cmd_program();               // hcs/guest/cmd

}  // namespace mullion::hcs
