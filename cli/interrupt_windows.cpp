#include <windows.h>

#include <atomic>

#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"

namespace mullion::cli {

struct InterruptGuard::State {
    base::CancelSource& source;
    std::atomic<bool> interrupted{false};
};

namespace {

// What a console handler, which gets no argument, finds.
std::atomic<base::CancelSource*> handler_source{nullptr};
std::atomic<std::atomic<bool>*> handler_flag{nullptr};

// On a thread of the system's.
BOOL WINAPI handle(DWORD) {
    base::CancelSource* source = handler_source;
    std::atomic<bool>* interrupted = handler_flag;
    if (source == nullptr || interrupted == nullptr) return FALSE;
    if (interrupted->exchange(true)) ::ExitProcess(kInterrupted);
    source->cancel("interrupted");
    return TRUE;
}

}  // namespace

InterruptGuard::InterruptGuard(base::CancelSource& source) : state_(new State{source}) {
    handler_source = &source;
    handler_flag = &state_->interrupted;
    ::SetConsoleCtrlHandler(handle, TRUE);
}

InterruptGuard::~InterruptGuard() {
    ::SetConsoleCtrlHandler(handle, FALSE);
    handler_source = nullptr;
    handler_flag = nullptr;
}

bool InterruptGuard::interrupted() const {
    return state_->interrupted;
}

}  // namespace mullion::cli
