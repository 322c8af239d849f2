#include "hcs/pipe.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"

namespace mullion::hcs {

Pipe make_pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw base::system_error(errno, "cannot make a pipe");
    return {base::UniqueFd(ends[0]), base::UniqueFd(ends[1])};
}

void make_nonblocking(const base::UniqueFd& fd) {
    if (::fcntl(fd.get(), F_SETFL, O_NONBLOCK) != 0) throw base::system_error(errno, "cannot set up a pipe");
}

void block_pipe_signal() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

}  // namespace mullion::hcs
