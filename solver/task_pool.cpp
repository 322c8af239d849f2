#include "solver/task_pool.hpp"

#include <tbb/global_control.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "base/error.hpp"

namespace mullion::solver {
namespace {

std::size_t processors() {
    return std::max(1u, std::thread::hardware_concurrency());
}

}  // namespace

// The arena gets tokens; the bodies are in a queue of ours, whose lock orders what the submitter wrote before
// what the body reads.
class TaskPool::CpuLane {
  public:
    explicit CpuLane(std::size_t threads)
        // The limit counts the thread that owns the graph, which never enters the arena.
        : limit_(tbb::global_control::max_allowed_parallelism, threads + 1),
          arena_(static_cast<int>(threads), 0) {}

    ~CpuLane() {
        std::unique_lock lock(mutex_);
        idle_.wait(lock, [&] { return unfinished_ == 0; });
    }

    void submit(std::function<void()> body) {
        {
            std::lock_guard lock(mutex_);
            bodies_.push_back(std::move(body));
            ++unfinished_;
        }
        handed_over.fetch_add(1, std::memory_order_release);
        arena_.enqueue([this] {
            handed_over.load(std::memory_order_acquire);
            run_one();
        });
    }

  private:
    // Releasing the lock is the last thing a token does with the lane.
    void run_one() {
        std::unique_lock lock(mutex_);
        std::function<void()> body = std::move(bodies_.front());
        bodies_.pop_front();
        lock.unlock();
        body();
        body = nullptr;  // what it holds goes before anybody hears that it is done
        lock.lock();
        if (--unfinished_ == 0) idle_.notify_all();
    }

    // TBB orders enqueue() before the token runs, but ThreadSanitizer cannot see into the library; this tells
    // it that the lane was made before its tokens run.
    static inline std::atomic<std::size_t> handed_over{0};

    tbb::global_control limit_;
    tbb::task_arena arena_;
    std::mutex mutex_;
    std::condition_variable idle_;
    std::deque<std::function<void()>> bodies_;
    std::size_t unfinished_ = 0;
};

class TaskPool::WaitLane {
  public:
    explicit WaitLane(std::size_t limit) : limit_(limit) {}

    ~WaitLane() {
        {
            std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        for (std::thread& thread : threads_) thread.join();
    }

    void submit(std::function<void()> body) {
        std::lock_guard lock(mutex_);
        if (bodies_.size() >= idle_ && threads_.size() < limit_) add_thread();
        bodies_.push_back(std::move(body));
        changed_.notify_one();
    }

  private:
    void add_thread() {
        try {
            threads_.emplace_back([this] { work(); });
        } catch (const std::system_error& error) {
            if (!threads_.empty()) return;  // slower, but it works
            throw base::fail(base::ErrorCode::Exhausted, "cannot start a thread: {}", error.what());
        }
    }

    void work() {
        std::unique_lock lock(mutex_);
        while (true) {
            ++idle_;
            changed_.wait(lock, [&] { return stopping_ || !bodies_.empty(); });
            --idle_;
            if (bodies_.empty()) return;
            std::function<void()> body = std::move(bodies_.front());
            bodies_.pop_front();
            lock.unlock();
            body();
            body = nullptr;
            lock.lock();
        }
    }

    std::size_t limit_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::function<void()>> bodies_;
    std::vector<std::thread> threads_;
    std::size_t idle_ = 0;
    bool stopping_ = false;
};

TaskPool::TaskPool(std::size_t cpu_threads, std::size_t wait_threads)
    : cpu_(std::make_unique<CpuLane>(cpu_threads != 0 ? cpu_threads : processors())),
      wait_(std::make_unique<WaitLane>(wait_threads != 0 ? wait_threads : processors() + 2)) {}

TaskPool::~TaskPool() = default;

void TaskPool::submit(Category category, std::function<void()> body) {
    if (category == Category::Cpu) {
        cpu_->submit(std::move(body));
    } else {
        wait_->submit(std::move(body));
    }
}

}  // namespace mullion::solver
