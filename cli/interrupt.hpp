// Ctrl-C and SIGTERM as cancellation.
#pragma once

#include <atomic>
#include <thread>

#include "base/cancel.hpp"

namespace mullion::cli {

// While it lives, the first SIGINT/SIGTERM cancels `source`; a second one ends the process at once (children
// die with us). Construct before any other thread starts: the signals are blocked in every thread and taken
// by one.
class InterruptGuard {
  public:
    explicit InterruptGuard(base::CancelSource& source);
    ~InterruptGuard();
    bool interrupted() const;

  private:
    base::CancelSource& source_;
    std::atomic<bool> interrupted_{false};
    std::atomic<bool> stop_{false};
    std::thread thread_;
    void wait_for_signals();
};

}  // namespace mullion::cli
