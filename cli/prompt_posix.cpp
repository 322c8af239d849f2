#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "cli/prompt.hpp"
#include "cli/standard_input.hpp"
#include "cli/terminal.hpp"

namespace mullion::cli {
namespace {

constexpr std::size_t kMaxAnswer = 64 * 1024;

// While it lives, the terminal does not show what is typed.
class Unseen {
  public:
    Unseen() {
        if (::tcgetattr(STDIN_FILENO, &before_) != 0) throw base::system_error(errno, "the terminal");
        termios now = before_;
        now.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        if (::tcsetattr(STDIN_FILENO, TCSAFLUSH, &now) != 0) throw base::system_error(errno, "the terminal");
    }
    ~Unseen() {
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
        // The end of the line was not shown, either.
        [[maybe_unused]] ssize_t written = ::write(STDERR_FILENO, "\n", 1);
    }
    Unseen(const Unseen&) = delete;
    Unseen& operator=(const Unseen&) = delete;

  private:
    termios before_{};
};

// Not a byte more than the line: the next question has its own.
std::string read_line(const base::CancelToken& cancel) {
    StandardInput input(STDIN_FILENO);
    auto wake = cancel.on_cancel([&input] { input.interrupt(); });
    std::string line;
    for (char c = 0; input.read(&c, 1) == 1 && c != '\n';) {
        if (line.size() == kMaxAnswer) throw base::fail(base::ErrorCode::Invalid, "this line is too long");
        line += c;
    }
    cancel.check();
    if (line.empty()) throw base::fail(base::ErrorCode::Invalid, "nothing was typed");
    return line;
}

}  // namespace

bool can_ask() {
    return is_terminal(STDIN_FILENO);
}

std::string ask(const std::string& question, Echo echo, const base::CancelToken& cancel) {
    std::optional<Unseen> unseen;
    if (echo == Echo::Off) unseen.emplace();
    base::write_all(STDERR_FILENO, question, "the terminal");
    return read_line(cancel);
}

}  // namespace mullion::cli
