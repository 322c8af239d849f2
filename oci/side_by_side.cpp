#include "oci/side_by_side.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace mullion::oci {

void run_side_by_side(std::size_t count, std::size_t limit, const base::CancelToken& cancel,
                      const std::function<void(std::size_t, const base::CancelToken&)>& job) {
    base::CancelSource stop(cancel);
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::exception_ptr first;
    auto work = [&] {
        for (std::size_t i = next++; i < count; i = next++) {
            try {
                stop.token().check();
                job(i, stop.token());
            } catch (...) {
                std::lock_guard lock(mutex);
                if (!first) first = std::current_exception();
                stop.cancel();
                return;
            }
        }
    };
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 1; i < std::min(count, limit); ++i) threads.emplace_back(work);
        work();
    }
    if (first) std::rethrow_exception(first);
}

}  // namespace mullion::oci
