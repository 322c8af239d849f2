#include <windows.h>
// After windows.h.
#include <io.h>

#include "cli/terminal.hpp"

namespace mullion::cli {
namespace {

HANDLE handle_of(int fd) {
    return reinterpret_cast<HANDLE>(::_get_osfhandle(fd));
}

}  // namespace

bool is_terminal(int fd) {
    DWORD mode = 0;
    return ::GetConsoleMode(handle_of(fd), &mode) != 0;
}

// A console does what terminals do if it is asked to.
bool is_paintable_terminal(int fd) {
    DWORD mode = 0;
    if (::GetConsoleMode(handle_of(fd), &mode) == 0) return false;
    return ::SetConsoleMode(handle_of(fd),
                            mode | ENABLE_PROCESSED_OUTPUT | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0;
}

TerminalSize terminal_size(int fd) {
    TerminalSize result;
    CONSOLE_SCREEN_BUFFER_INFO info{};
    if (::GetConsoleScreenBufferInfo(handle_of(fd), &info) == 0) return result;
    int columns = info.srWindow.Right - info.srWindow.Left + 1;
    int rows = info.srWindow.Bottom - info.srWindow.Top + 1;
    if (columns > 0) result.columns = columns;
    if (rows > 0) result.rows = rows;
    return result;
}

}  // namespace mullion::cli
