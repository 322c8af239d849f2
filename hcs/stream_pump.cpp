#include "hcs/stream_pump.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error.hpp"
#include "base/log.hpp"
#include "hcs/pipe.hpp"

namespace mullion::hcs {
namespace {

constexpr std::size_t kChunk = 1 << 16;

base::UniqueFd make_event() {
    base::UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd) throw base::system_error(errno, "cannot make an event");
    return fd;
}

void set_event(const base::UniqueFd& fd) {
    std::uint64_t one = 1;
    [[maybe_unused]] ssize_t written = ::write(fd.get(), &one, sizeof one);
}

}  // namespace

OutputPump::OutputPump(base::UniqueFd pipe, base::Sink& sink, std::function<void()> on_failure)
    : pipe_(std::move(pipe)),
      stop_(make_event()),
      done_(make_event()),
      sink_(sink),
      on_failure_(std::move(on_failure)) {
    make_nonblocking(pipe_);
    thread_ = std::thread([this] { run(); });
}

OutputPump::~OutputPump() {
    set_event(stop_);
    if (thread_.joinable()) thread_.join();
}

void OutputPump::finish(std::chrono::steady_clock::time_point deadline) {
    using std::chrono::milliseconds;
    auto left = std::chrono::ceil<milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd done{done_.get(), POLLIN, 0};
    ::poll(&done, 1, static_cast<int>(std::max(left, milliseconds(0)).count()));
    set_event(stop_);
    if (thread_.joinable()) thread_.join();
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

// 0 at the end of the stream or when there is nothing just now.
std::size_t OutputPump::read_some(std::size_t most) {
    char buffer[kChunk];
    ssize_t size = ::read(pipe_.get(), buffer, std::min(most, sizeof buffer));
    if (size <= 0) return 0;
    sink_.write({buffer, static_cast<std::size_t>(size)});
    return static_cast<std::size_t>(size);
}

// What is in the pipe by now: whoever still writes would keep us here for ever.
void OutputPump::read_rest() {
    int left = 0;
    if (::ioctl(pipe_.get(), FIONREAD, &left) != 0) return;
    while (left > 0) {
        std::size_t size = read_some(static_cast<std::size_t>(left));
        if (size == 0) return;
        left -= static_cast<int>(size);
    }
}

void OutputPump::run() {
    try {
        pollfd watched[2] = {{pipe_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
        while (true) {
            if (::poll(watched, 2, -1) < 0 && errno != EINTR) break;
            bool stop = watched[1].revents != 0;
            if (watched[0].revents == 0 && !stop) continue;
            if (stop) {
                read_rest();
                break;
            }
            if (read_some(kChunk) == 0 && (watched[0].revents & POLLHUP) != 0) break;
        }
    } catch (...) {
        failure_ = std::current_exception();
        on_failure_();
    }
    set_event(done_);
}

InputPump::InputPump(base::UniqueFd pipe, base::Source& source, std::function<void()> interrupt)
    : pipe_(std::move(pipe)), stop_(make_event()), source_(source), interrupt_(std::move(interrupt)) {
    make_nonblocking(pipe_);
    thread_ = std::thread([this] { run(); });
}

InputPump::~InputPump() {
    set_event(stop_);
    if (interrupt_) interrupt_();
    thread_.join();
}

void InputPump::run() {
    block_pipe_signal();
    char buffer[kChunk];
    try {
        while (std::size_t size = source_.read(buffer, sizeof buffer)) {
            const char* at = buffer;
            while (size > 0) {
                pollfd watched[2] = {{pipe_.get(), POLLOUT, 0}, {stop_.get(), POLLIN, 0}};
                if (::poll(watched, 2, -1) < 0 && errno != EINTR) return;
                if (watched[1].revents != 0) return;
                ssize_t written = ::write(pipe_.get(), at, size);
                if (written < 0 && errno != EAGAIN && errno != EINTR) return pipe_.reset();
                if (written <= 0) continue;
                at += written;
                size -= static_cast<std::size_t>(written);
            }
        }
    } catch (const std::exception& error) {
        base::log("hcs").warn("cannot read standard input: {}", error.what());
    }
    pipe_.reset();
}

}  // namespace mullion::hcs
