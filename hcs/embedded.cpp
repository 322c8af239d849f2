#include "hcs/embedded.hpp"

// The paths come from CMake, which also makes this file depend on them.
#define MULLION_EMBED(symbol, path)                           \
    asm(".pushsection .rodata\n"                              \
        ".global mullion_" #symbol "_begin, mullion_" #symbol \
        "_end\n"                                              \
        "mullion_" #symbol "_begin: .incbin \"" path          \
        "\"\n"                                                \
        "mullion_" #symbol                                    \
        "_end: .byte 0\n"                                     \
        ".popsection\n");                                     \
    extern "C" const char mullion_##symbol##_begin[];         \
    extern "C" const char mullion_##symbol##_end[];

MULLION_EMBED(box, MULLION_BOX)
MULLION_EMBED(runner, MULLION_RUNNER_EXE)
MULLION_EMBED(window, MULLION_WINDOW_EXE)
MULLION_EMBED(pipe, MULLION_PIPE_EXE)
MULLION_EMBED(bcryptprimitives, MULLION_BCRYPTPRIMITIVES_DLL)
MULLION_EMBED(cmd, MULLION_CMD_EXE)

#undef MULLION_EMBED

namespace mullion::hcs {

std::string_view box_program() {
    return {mullion_box_begin, mullion_box_end};
}
std::string_view runner_program() {
    return {mullion_runner_begin, mullion_runner_end};
}
std::string_view window_program() {
    return {mullion_window_begin, mullion_window_end};
}
std::string_view pipe_program() {
    return {mullion_pipe_begin, mullion_pipe_end};
}
std::string_view bcryptprimitives_library() {
    return {mullion_bcryptprimitives_begin, mullion_bcryptprimitives_end};
}
std::string_view cmd_program() {
    return {mullion_cmd_begin, mullion_cmd_end};
}

}  // namespace mullion::hcs
