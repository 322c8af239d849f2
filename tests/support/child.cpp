#include "tests/support/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace mullion::test {
namespace {

void redirect(const std::filesystem::path& file, int to) {
    int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd >= 0) ::dup2(fd, to);
}

}  // namespace

Child::Child(std::vector<std::string> argv, const std::filesystem::path& output,
             const std::filesystem::path& errors) {
    int in[2];
    int out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    std::vector<char*> words;
    for (std::string& word : argv) words.push_back(word.data());
    words.push_back(nullptr);
    child_ = ::fork();
    if (child_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        ::dup2(in[0], 0);
        ::dup2(out[1], 1);
        if (!output.empty()) redirect(output, 1);
        if (!errors.empty()) redirect(errors, 2);
        ::execvp(words.front(), words.data());
        ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    input_ = base::UniqueFd(in[1]);
    output_ = base::UniqueFd(out[0]);
}

Child::~Child() {
    input_ = base::UniqueFd();
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
}

std::string Child::first_line() {
    std::string line;
    for (char c = 0; ::read(output_.get(), &c, 1) == 1 && c != '\n';) line += c;
    return line;
}

bool Child::running() const {
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT);
    return info.si_pid == 0;
}

}  // namespace mullion::test
