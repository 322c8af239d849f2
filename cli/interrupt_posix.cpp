#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <thread>

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

struct InterruptGuard::State {
    base::CancelSource& source;
    std::atomic<bool> interrupted{false};
    std::atomic<bool> stop{false};
    std::thread thread;

    void wait_for_signals() {
        sigset_t set = interrupts();
        for (int signal = 0; ::sigwait(&set, &signal) == 0;) {
            if (stop) return;
            if (interrupted.exchange(true)) ::_exit(kInterrupted);
            source.cancel("interrupted");
        }
    }
};

InterruptGuard::InterruptGuard(base::CancelSource& source) : state_(new State{source}) {
    // A reader that goes away is an error we report, not a signal that kills us half-way.
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t set = interrupts();
    ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
    state_->thread = std::thread([state = state_.get()] { state->wait_for_signals(); });
}

InterruptGuard::~InterruptGuard() {
    state_->stop = true;
    ::pthread_kill(state_->thread.native_handle(), SIGTERM);
    state_->thread.join();
}

bool InterruptGuard::interrupted() const {
    return state_->interrupted;
}

}  // namespace mullion::cli
