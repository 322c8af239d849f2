// CPU work of this room on oneTBB. Bodies must not wait for anything but their own I/O. While a call below
// waits for its bodies, its thread runs no unrelated task of its caller's (isolation), so nothing of the
// caller's is re-entered. The first exception of a body stops the rest and comes out of the call.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace mullion::tree {

// Bodies that make more bodies, such as a walk over directories. The youngest runs first, so that few are
// open.
class TaskGroup {
  public:
    TaskGroup();
    ~TaskGroup();
    TaskGroup(const TaskGroup&) = delete;
    TaskGroup& operator=(const TaskGroup&) = delete;

    // Runs `first` and everything added meanwhile; returns when all have ended. Once.
    void run(std::function<void()> first);
    // Only from a running body.
    void add(std::function<void()> body);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

// body(0) … body(count - 1), `grain` at a time on one thread.
void parallel_for(std::size_t count, std::size_t grain, const std::function<void(std::size_t)>& body);

}  // namespace mullion::tree
