// Cancellation and deadlines. A CancelSource belongs to whoever may stop the work (a job, Ctrl-C); everything
// that can block takes a CancelToken, a cheap value. Thread-safe. A token without a source never fires.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace mullion::base {

class CancelToken;

class CancelSource {
  public:
    CancelSource();
    // A child fires when its parent fires, not the other way round.
    explicit CancelSource(const CancelToken& parent);

    void cancel(std::string reason = "canceled");
    CancelToken token() const;

  private:
    struct State;
    friend class CancelToken;
    std::shared_ptr<State> state_;
};

class CancelToken {
  public:
    using Clock = std::chrono::steady_clock;

    CancelToken() = default;

    bool canceled() const;
    // Throws Error{Canceled}.
    void check() const;
    // Sleeps; returns true at once when canceled, false when `duration` has passed.
    bool wait_for(Clock::duration duration) const;

    // Runs `callback` on cancel (at once if already canceled), on the canceling thread. Destroying the
    // registration waits for a running callback, so what the callback captured may then go away.
    class Registration {
      public:
        Registration() = default;
        Registration(Registration&&) noexcept = default;
        Registration& operator=(Registration&&) noexcept;
        ~Registration();

      private:
        friend class CancelToken;
        std::shared_ptr<CancelSource::State> state_;
        std::uint64_t id_ = 0;
        void reset();
    };
    [[nodiscard]] Registration on_cancel(std::function<void()> callback) const;

  private:
    friend class CancelSource;
    explicit CancelToken(std::shared_ptr<CancelSource::State> state) : state_(std::move(state)) {}
    std::shared_ptr<CancelSource::State> state_;
};

}  // namespace mullion::base
