#include "base/cancel.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.hpp"
#include "base/log.hpp"

namespace mullion::base {

struct CancelSource::State {
    std::mutex mutex;
    std::condition_variable changed;
    std::atomic<bool> canceled{false};  // set under the mutex, read without it
    std::string reason;
    std::uint64_t next_id = 1;
    std::map<std::uint64_t, std::function<void()>> callbacks;
    std::uint64_t running = 0;  // id of the callback being run, 0 for none
    std::thread::id runner;
    CancelToken::Registration parent;

    std::string why() {
        std::lock_guard lock(mutex);
        return reason;
    }

    // One failing callback must keep neither the others nor whoever waits for it.
    static void run(const std::function<void()>& callback) {
        try {
            callback();
        } catch (const std::exception& error) {
            log("base").error("a cancel callback failed: {}", error.what());
        }
    }

    void fire(std::string why) {
        std::unique_lock lock(mutex);
        if (canceled) return;
        canceled = true;
        reason = std::move(why);
        runner = std::this_thread::get_id();
        changed.notify_all();
        while (!callbacks.empty()) {
            auto node = callbacks.extract(callbacks.begin());
            running = node.key();
            lock.unlock();
            run(node.mapped());
            node = {};  // what it captured may need our lock to go away
            lock.lock();
            running = 0;
            changed.notify_all();
        }
    }
};

CancelSource::CancelSource() : state_(std::make_shared<State>()) {}

CancelSource::CancelSource(const CancelToken& parent) : CancelSource() {
    // The parent's state holds this callback, so it is there when the callback runs.
    state_->parent = parent.on_cancel([weak = std::weak_ptr(state_), from = parent.state_.get()] {
        if (auto state = weak.lock()) state->fire(from->why());
    });
}

void CancelSource::cancel(std::string reason) {
    state_->fire(std::move(reason));
}

CancelToken CancelSource::token() const {
    return CancelToken(state_);
}

bool CancelToken::canceled() const {
    return state_ && state_->canceled;
}

void CancelToken::check() const {
    if (!canceled()) return;
    std::lock_guard lock(state_->mutex);
    throw Error(ErrorCode::Canceled, state_->reason);
}

bool CancelToken::wait_for(Clock::duration duration) const {
    // A later point in time would overflow the clock.
    duration = std::min<Clock::duration>(duration, std::chrono::hours(24 * 365));
    if (!state_) {
        std::this_thread::sleep_for(duration);
        return false;
    }
    std::unique_lock lock(state_->mutex);
    return state_->changed.wait_for(lock, duration, [&] { return state_->canceled.load(); });
}

CancelToken::Registration CancelToken::on_cancel(std::function<void()> callback) const {
    Registration registration;
    if (!state_) return registration;
    {
        std::lock_guard lock(state_->mutex);
        if (!state_->canceled) {
            registration.state_ = state_;
            registration.id_ = state_->next_id++;
            state_->callbacks.emplace(registration.id_, std::move(callback));
            return registration;
        }
    }
    callback();
    return registration;
}

CancelToken::Registration& CancelToken::Registration::operator=(Registration&& other) noexcept {
    if (this != &other) {
        reset();
        state_ = std::move(other.state_);
        id_ = other.id_;
    }
    return *this;
}

CancelToken::Registration::~Registration() {
    reset();
}

void CancelToken::Registration::reset() {
    if (!state_) return;
    std::unique_lock lock(state_->mutex);
    state_->callbacks.erase(id_);
    if (state_->runner != std::this_thread::get_id()) {
        state_->changed.wait(lock, [&] { return state_->running != id_; });
    }
    lock.unlock();
    state_.reset();
}

}  // namespace mullion::base
