#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

#include "cli/terminal.hpp"

namespace mullion::cli {

bool is_terminal(int fd) {
    return ::isatty(fd) != 0;
}

bool is_paintable_terminal(int fd) {
    if (!is_terminal(fd)) return false;
    const char* kind = std::getenv("TERM");
    return kind != nullptr && *kind != '\0' && std::string_view(kind) != "dumb";
}

TerminalSize terminal_size(int fd) {
    winsize size{};
    TerminalSize result;
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0) return result;
    if (size.ws_col != 0) result.columns = size.ws_col;
    if (size.ws_row != 0) result.rows = size.ws_row;
    return result;
}

}  // namespace mullion::cli
