#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "cli/standard_input.hpp"

namespace mullion::cli {

struct StandardInput::State {
    base::UniqueFd input;
    base::UniqueFd interrupted;
};

StandardInput::StandardInput(int descriptor)
    : state_(
          new State{base::duplicate(descriptor), base::UniqueFd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))}) {
    if (!state_->interrupted) throw base::system_error(errno, "cannot read standard input");
}

StandardInput::~StandardInput() = default;

std::size_t StandardInput::read(char* buffer, std::size_t size) {
    pollfd watched[2] = {{state_->input.get(), POLLIN, 0}, {state_->interrupted.get(), POLLIN, 0}};
    while (true) {
        int count = ::poll(watched, 2, -1);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) throw base::system_error(errno, "cannot wait for standard input");
        if (watched[1].revents != 0) return 0;
        ssize_t got = ::read(state_->input.get(), buffer, size);
        // Somebody else may have made the descriptor non-blocking and read what there was.
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) throw base::system_error(errno, "cannot read standard input");
        return static_cast<std::size_t>(got);
    }
}

void StandardInput::interrupt() {
    std::uint64_t one = 1;
    [[maybe_unused]] ssize_t written = ::write(state_->interrupted.get(), &one, sizeof one);
}

}  // namespace mullion::cli
