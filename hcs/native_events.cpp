#include "hcs/native_events.hpp"

#include <map>

#include "base/log.hpp"
#include "base/synced.hpp"

namespace mullion::hcs {
namespace {

struct Subscriptions {
    std::uintptr_t last = 0;
    std::map<std::uintptr_t, std::shared_ptr<Watch>> watches;
};

base::Synced<Subscriptions>& subscriptions() {
    static base::Synced<Subscriptions> instance;
    return instance;
}

std::optional<Ending> ending_of(const HCS_EVENT& event) {
    std::string document = event.EventData == nullptr ? std::string() : base::from_wide(event.EventData);
    switch (event.Type) {
        case HcsEventSystemExited:
        case HcsEventProcessExited:
            return Ending{Ending::Cause::Exited, std::move(document)};
        case HcsEventServiceDisconnect:
            return Ending{Ending::Cause::ServiceGone, std::move(document)};
        default:
            return std::nullopt;
    }
}

}  // namespace

void Watch::end(Ending ending) {
    Ending::Cause cause = ending.cause;
    {
        std::lock_guard lock(mutex_);
        if (ending_) return;
        ending_ = std::move(ending);
    }
    changed_.notify_all();
    end_carried(cause == Ending::Cause::Exited ? Ending::Cause::SystemExited : cause);
}

void Watch::end_carried(Ending::Cause cause) {
    std::vector<std::weak_ptr<Watch>> processes;
    {
        std::lock_guard lock(mutex_);
        processes.swap(processes_);
    }
    for (const std::weak_ptr<Watch>& process : processes) {
        if (auto watch = process.lock()) watch->end({cause});
    }
}

std::optional<Ending> Watch::ended() const {
    std::lock_guard lock(mutex_);
    return ending_;
}

std::optional<Ending> Watch::wait(std::optional<Deadline> deadline, const base::CancelToken& cancel) const {
    auto registration = cancel.on_cancel([this] {
        std::lock_guard lock(mutex_);
        changed_.notify_all();
    });
    {
        std::unique_lock lock(mutex_);
        auto over = [&] { return ending_.has_value() || cancel.canceled(); };
        if (deadline) {
            changed_.wait_until(lock, *deadline, over);
        } else {
            changed_.wait(lock, over);
        }
        if (ending_) return ending_;
    }
    cancel.check();
    return std::nullopt;
}

void Watch::carry(std::weak_ptr<Watch> process) {
    {
        std::lock_guard lock(mutex_);
        if (!ending_) {
            processes_.push_back(std::move(process));
            return;
        }
    }
    if (auto watch = process.lock()) watch->end({Ending::Cause::SystemExited});
}

Subscription::Subscription(std::shared_ptr<Watch> watch) {
    number_ = subscriptions().with([&](Subscriptions& all) {
        all.watches.emplace(++all.last, std::move(watch));
        return all.last;
    });
}

Subscription::~Subscription() {
    subscriptions().with([&](Subscriptions& all) { all.watches.erase(number_); });
}

// On a thread of HCS: nothing may leave it.
void CALLBACK Subscription::on_event(HCS_EVENT* event, void* context) {
    try {
        auto watch = subscriptions().with([&](Subscriptions& all) {
            auto found = all.watches.find(reinterpret_cast<std::uintptr_t>(context));
            return found == all.watches.end() ? nullptr : found->second;
        });
        std::optional<Ending> ending = ending_of(*event);
        if (watch && ending) watch->end(std::move(*ending));
    } catch (const std::exception& error) {
        base::log("hcs").error("an event of the host compute service was lost: {}", error.what());
    }
}

}  // namespace mullion::hcs
