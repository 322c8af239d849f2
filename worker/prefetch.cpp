#include "worker/prefetch.hpp"

#include <algorithm>
#include <system_error>

#include "base/log.hpp"
#include "base/owned_source.hpp"

namespace mullion::worker {
namespace {

constexpr std::uint64_t kSmall = 1 << 20;
constexpr std::uint64_t kMaxBuffered = 32 << 20;
constexpr std::size_t kMaxAhead = 1024;
constexpr std::size_t kThreads = 2;
// Fewer files than this are not worth threads.
constexpr std::size_t kWorthwhile = 16;

bool is_host_file(const tree::Content& content) {
    return std::holds_alternative<tree::HostFile>(content.location());
}

}  // namespace

Prefetcher::Prefetcher(const tree::Delta& delta, tree::ContentProvider& from, base::CancelToken cancel)
    : from_(from), cancel_(std::move(cancel)) {
    add(delta.changes);
    if (slots_.size() < kWorthwhile) return;
    try {
        for (std::size_t i = 0; i < kThreads; ++i) threads_.emplace_back([this] { read_ahead(); });
    } catch (const std::system_error& error) {
        // Whoever takes the contents opens what nobody has read ahead.
        base::log("worker").debug("reading ahead with {} threads: {}", threads_.size(), error.what());
    }
}

Prefetcher::~Prefetcher() {
    {
        std::lock_guard lock(mutex_);
        stop_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

void Prefetcher::add(const std::vector<tree::Change>& changes) {
    for (const tree::Change& change : changes) {
        const auto* upsert = std::get_if<tree::Upsert>(&change);
        if (upsert == nullptr || upsert->hard_link) continue;
        if (upsert->node->content) add(upsert->node->content);
        for (const tree::Stream& stream : upsert->node->streams) add(stream.content);
    }
}

void Prefetcher::add(const tree::ContentRef& content) {
    if (is_host_file(*content) && content->size() <= kSmall) {
        slots_.push_back({content, State::Waiting, {}, {}});
    }
}

bool Prefetcher::has_work() const {
    return next_ < slots_.size() && next_ < taken_ + kMaxAhead && buffered_ < kMaxBuffered;
}

void Prefetcher::read_ahead() {
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return stop_ || has_work() || next_ >= slots_.size(); });
        if (stop_ || next_ >= slots_.size()) return;
        Slot& slot = slots_[next_++];
        if (slot.state != State::Waiting) continue;
        slot.state = State::Reading;
        buffered_ += slot.content->size();
        lock.unlock();
        fill(slot);
        lock.lock();
        slot.state = slot.error ? State::Failed : State::Ready;
        changed_.notify_all();
    }
}

void Prefetcher::fill(Slot& slot) {
    try {
        auto source = from_.open(*slot.content, cancel_);
        slot.bytes = source->read_all(slot.content->size(), "a file of the layer");
    } catch (...) {
        slot.error = std::current_exception();
    }
}

std::unique_ptr<base::Source> Prefetcher::open(const tree::Content& content,
                                               const base::CancelToken& cancel) {
    std::unique_lock lock(mutex_);
    if (taken_ == slots_.size() || slots_[taken_].content.get() != &content) {
        lock.unlock();
        return from_.open(content, cancel);
    }
    Slot& slot = slots_[taken_++];
    next_ = std::max(next_, taken_);
    if (slot.state == State::Waiting) {  // nobody has come to it yet
        lock.unlock();
        changed_.notify_all();
        return from_.open(content, cancel);
    }
    changed_.wait(lock, [&] { return slot.state != State::Reading; });
    buffered_ -= slot.content->size();
    lock.unlock();
    changed_.notify_all();
    return take(slot);
}

std::unique_ptr<base::Source> Prefetcher::take(Slot& slot) {
    if (slot.error) std::rethrow_exception(slot.error);
    return std::make_unique<base::OwnedSource>(std::move(slot.bytes));
}

}  // namespace mullion::worker
