#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "cli/standard_input.hpp"

namespace mullion::cli {

StandardInput::StandardInput(int descriptor)
    : input_(::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)),
      interrupted_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!input_ || !interrupted_) throw base::system_error(errno, "cannot read standard input");
}

std::size_t StandardInput::read(char* buffer, std::size_t size) {
    pollfd watched[2] = {{input_.get(), POLLIN, 0}, {interrupted_.get(), POLLIN, 0}};
    while (true) {
        int count = ::poll(watched, 2, -1);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw base::system_error(errno, "cannot wait for standard input");
        if (watched[1].revents != 0) return 0;
        ssize_t got = ::read(input_.get(), buffer, size);
        // Somebody else may have made the descriptor non-blocking and read what there was.
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) throw base::system_error(errno, "cannot read standard input");
        return static_cast<std::size_t>(got);
    }
}

void StandardInput::interrupt() {
    std::uint64_t one = 1;
    [[maybe_unused]] ssize_t written = ::write(interrupted_.get(), &one, sizeof one);
}

}  // namespace mullion::cli
