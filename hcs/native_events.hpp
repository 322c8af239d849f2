// How systems and processes end, as HCS tells it on threads of its own (hcs.md §1.1, HCS_EVENT).
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "hcs/native_api.hpp"

namespace mullion::hcs {

struct Ending {
    enum class Cause {
        Exited,        // by itself or terminated; `document` is its status, "" if HCS gave none
        SystemExited,  // a process: its system went first
        ServiceGone,   // the service died, nothing is known any more
        Unreported,    // it was ended and HCS said nothing
    };
    Cause cause = Cause::Exited;
    std::string document = {};
};

// The end of one system or process. The first report counts. Thread-safe.
class Watch {
  public:
    using Deadline = std::chrono::steady_clock::time_point;

    void end(Ending ending);
    std::optional<Ending> ended() const;
    // nullopt at the deadline. Throws Canceled.
    std::optional<Ending> wait(std::optional<Deadline> deadline, const base::CancelToken& cancel) const;
    // Ends `process` when this system ends, unless it has ended before.
    void carry(std::weak_ptr<Watch> process);
    // Ends what it carries as if the system had ended: it is about to, and then HCS may report the processes
    // first, as if they had ended by themselves.
    void end_carried(Ending::Cause cause = Ending::Cause::SystemExited);

  private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    std::optional<Ending> ending_;
    std::vector<std::weak_ptr<Watch>> processes_;
};

// While it lives, events that HCS delivers with context() end the watch; later ones are dropped. HCS is
// given a number, not a pointer, because it does not promise that no event comes after the handle was closed.
class Subscription {
  public:
    explicit Subscription(std::shared_ptr<Watch> watch);
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    void* context() const { return reinterpret_cast<void*>(number_); }
    static void CALLBACK on_event(HCS_EVENT* event, void* context);

  private:
    std::uintptr_t number_;
};

}  // namespace mullion::hcs
