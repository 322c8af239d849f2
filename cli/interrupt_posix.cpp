#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"

namespace mullion::cli {
namespace {

sigset_t interrupts() {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

}  // namespace

InterruptGuard::InterruptGuard(base::CancelSource& source) : source_(source) {
    // A reader that goes away is an error we report, not a signal that kills us half-way.
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t set = interrupts();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    thread_ = std::thread([this] { wait_for_signals(); });
}

InterruptGuard::~InterruptGuard() {
    stop_ = true;
    ::pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
}

bool InterruptGuard::interrupted() const {
    return interrupted_;
}

void InterruptGuard::wait_for_signals() {
    sigset_t set = interrupts();
    for (int signal = 0; ::sigwait(&set, &signal) == 0;) {
        if (stop_) return;
        if (interrupted_.exchange(true)) ::_exit(kInterrupted);
        source_.cancel("interrupted");
    }
}

}  // namespace mullion::cli
