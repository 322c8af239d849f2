#include <windows.h>

#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/win32.hpp"
#include "cli/prompt.hpp"
#include "cli/terminal.hpp"

namespace mullion::cli {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;

HANDLE console() {
    return ::GetStdHandle(STD_INPUT_HANDLE);
}

// While it lives, the console does not show what is typed.
class Unseen {
  public:
    Unseen() {
        if (::GetConsoleMode(console(), &before_) == 0 ||
            ::SetConsoleMode(console(), before_ & ~static_cast<DWORD>(ENABLE_ECHO_INPUT)) == 0) {
            throw base::last_error("the console");
        }
    }
    ~Unseen() {
        ::SetConsoleMode(console(), before_);
        // The end of the line was not shown, either.
        DWORD written = 0;
        ::WriteFile(::GetStdHandle(STD_ERROR_HANDLE), "\r\n", 2, &written, nullptr);
    }
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;

  private:
    DWORD before_ = 0;
};

// Ctrl-C ends the read with nothing.
std::string read_line(const base::CancelToken& cancel) {
    std::wstring line;
    for (wchar_t c = 0; line.size() < kMaxAnswer;) {
        DWORD got = 0;
        if (::ReadConsoleW(console(), &c, 1, &got, nullptr) == 0) throw base::last_error("the console");
        cancel.check();
        if (got == 0 || c == L'\n') break;
        if (c != L'\r') line += c;
    }
    if (line.size() == kMaxAnswer) throw base::fail(base::ErrorCode::Invalid, "this line is too long");
    if (line.empty()) throw base::fail(base::ErrorCode::Invalid, "nothing was typed");
    return base::from_wide(line);
}

}  // namespace

bool can_ask() {
    return is_terminal(base::kStandardInput);
}

std::string ask(const std::string& question, Echo echo, const base::CancelToken& cancel) {
    std::optional<Unseen> unseen;
    if (echo == Echo::Off) unseen.emplace();
    base::write_all(base::kStandardError, question, "the terminal");
    return read_line(cancel);
}

}  // namespace mullion::cli
