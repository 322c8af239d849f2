// What we ask of a terminal.
#pragma once

namespace mullion::cli {

struct TerminalSize {
    int columns = 80;
    int rows = 24;
};

bool is_terminal(int fd);
// True if `fd` is a terminal that understands cursor movement.
bool is_paintable_terminal(int fd);
// 80x24 if the terminal does not tell.
TerminalSize terminal_size(int fd);

}  // namespace mullion::cli
