// Ctrl-C and SIGTERM as cancellation.
#pragma once

#include <memory>

#include "base/cancel.hpp"

namespace mullion::cli {

// While it lives, the first SIGINT/SIGTERM (on Windows Ctrl-C, Ctrl-Break, and the closing of the console)
// cancels `source`; a second one ends the process at once (children die with us). One at a time. Construct
// before any other thread starts: signals are blocked in every thread and taken by one.
class InterruptGuard {
  public:
    explicit InterruptGuard(base::CancelSource& source);
    ~InterruptGuard();
    bool interrupted() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mullion::cli
