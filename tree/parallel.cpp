#include "tree/parallel.hpp"

#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>
#include <vector>

namespace mullion::tree {

namespace {

// TBB orders what happens before a task is handed over before the task. ThreadSanitizer cannot see into the
// library; this tells it the same.
std::atomic<std::size_t> handed_over{0};

}  // namespace

// Bodies lie in a list of our own and TBB is only told how many there are: then the lock, too, orders what
// goes from thread to thread.
struct TaskGroup::State {
    tbb::task_group group;
    std::mutex mutex;
    std::vector<std::function<void()>> bodies;

    std::function<void()> take() {
        std::lock_guard lock(mutex);
        std::function<void()> body = std::move(bodies.back());
        bodies.pop_back();
        return body;
    }

    // Takes the lock for an instant when a scope ends, also by an exception: what a body did is then ordered
    // before what its waiter does.
    struct Meeting {
        std::mutex& mutex;
        ~Meeting() { std::lock_guard lock(mutex); }
    };

    void run_one() {
        Meeting after{mutex};
        take()();
    }
};

TaskGroup::TaskGroup() : state_(std::make_unique<State>()) {}
TaskGroup::~TaskGroup() = default;

void TaskGroup::run(std::function<void()> first) {
    State::Meeting after{state_->mutex};
    tbb::this_task_arena::isolate([&] {
        add(std::move(first));
        state_->group.wait();
    });
}

namespace {

// All that TBB itself hands over.
template <typename State>
struct Token {
    State* state;
    [[gnu::noinline]] void operator()() const {
        handed_over.load(std::memory_order_acquire);
        state->run_one();
    }
};

}  // namespace

void TaskGroup::add(std::function<void()> body) {
    {
        std::lock_guard lock(state_->mutex);
        state_->bodies.push_back(std::move(body));
    }
    handed_over.fetch_add(1, std::memory_order_release);
    state_->group.run(Token<State>{state_.get()});
}

void parallel_for(std::size_t count, std::size_t grain, const std::function<void(std::size_t)>& body) {
    std::atomic<std::size_t> next{0};
    auto take_turns = [&] {
        for (;;) {
            std::size_t first = next.fetch_add(grain);
            if (first >= count) return;
            for (std::size_t i = first; i < std::min(first + grain, count); ++i) body(i);
        }
    };
    std::size_t turns = (count + grain - 1) / grain;
    if (turns <= 1) return take_turns();
    auto threads = static_cast<std::size_t>(tbb::this_task_arena::max_concurrency());
    TaskGroup group;
    group.run([&] {
        for (std::size_t i = 1; i < std::min(threads, turns); ++i) group.add(take_turns);
        take_turns();
    });
}

}  // namespace mullion::tree
