#include <windows.h>
// After windows.h.
#include <fcntl.h>
#include <io.h>

#include <cstdio>

#include "base/win32.hpp"
#include "cli/program.hpp"

namespace {

// What we print is UTF-8 and has the bytes we give it, on a console too. The console's code page outlives us.
class Utf8Output {
  public:
    Utf8Output() : before_(::GetConsoleOutputCP()) {
        ::SetConsoleOutputCP(CP_UTF8);
        ::_setmode(::_fileno(stdout), _O_BINARY);
        ::_setmode(::_fileno(stderr), _O_BINARY);
    }
    ~Utf8Output() {
        if (before_ != 0) ::SetConsoleOutputCP(before_);
    }

  private:
    UINT before_;
};

}  // namespace

int wmain(int argc, wchar_t** argv) {
    Utf8Output output;
    std::vector<std::string> arguments;
    for (int i = 1; i < argc; ++i) arguments.push_back(mullion::base::from_wide(argv[i]));
    return mullion::cli::run_program(arguments);
}
