// Data that can be reached only under its lock.
#pragma once

#include <mutex>
#include <utility>

namespace mullion::base {

template <typename T>
class Synced {
  public:
    Synced() = default;
    explicit Synced(T value) : value_(std::move(value)) {}

    // Runs `body(T&)` under the lock and returns what it returns.
    template <typename Body>
    decltype(auto) with(Body&& body) {
        std::lock_guard lock(mutex_);
        return std::forward<Body>(body)(value_);
    }

  private:
    std::mutex mutex_;
    T value_;
};

}  // namespace mullion::base
