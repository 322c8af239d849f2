#include "solver/completion_queue.hpp"

#include <exception>
#include <new>

namespace mullion::solver {

base::Error current_error() {
    try {
        throw;
    } catch (const base::Error& error) {
        return error;
    } catch (const std::bad_alloc&) {
        return base::Error(base::ErrorCode::Exhausted, "out of memory");
    } catch (const std::exception& error) {
        return base::Error(base::ErrorCode::Internal, error.what());
    } catch (...) {
        return base::Error(base::ErrorCode::Internal, "an exception of unknown type");
    }
}

void CompletionQueue::push(Completion completion) {
    bool first;
    {
        std::lock_guard lock(mutex_);
        first = completions_.empty();
        completions_.push_back(std::move(completion));
    }
    // Behind the lock, or the owner would wake up only to wait for it.
    if (first) changed_.notify_one();
}

std::vector<Completion> CompletionQueue::wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return !completions_.empty(); });
    return std::exchange(completions_, {});
}

}  // namespace mullion::solver
