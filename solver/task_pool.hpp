// Where bodies run: Cpu bodies in a TBB arena, Wait bodies on threads of their own, so that a wait never
// holds a TBB slot. Both are bounded; what does not fit waits its turn in order.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "solver/op.hpp"

namespace mullion::solver {

class TaskPool {
  public:
    // 0: one per processor (Cpu), one per processor + 2 (Wait). Threads are made when first needed.
    TaskPool(std::size_t cpu_threads, std::size_t wait_threads);
    // Waits for everything submitted.
    ~TaskPool();

    // `body` must not throw. Throws Exhausted if no thread can be made.
    void submit(Category category, std::function<void()> body);

  private:
    class CpuLane;
    class WaitLane;
    std::unique_ptr<CpuLane> cpu_;
    std::unique_ptr<WaitLane> wait_;
};

}  // namespace mullion::solver
