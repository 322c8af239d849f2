// Reads small files ahead of a writer that takes contents one after another, so that a layer of many files
// does not wait for each open() and read().
#pragma once

#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tree/content.hpp"
#include "tree/delta.hpp"

namespace mullion::worker {

// For one pass over the contents of one Delta, by one thread, in the order of its changes. Contents asked for
// out of order, and large ones, are opened directly. Read-ahead is bounded; its threads end with the object.
class Prefetcher final : public tree::ContentProvider {
  public:
    Prefetcher(const tree::Delta& delta, tree::ContentProvider& from, base::CancelToken cancel);
    ~Prefetcher() override;

    std::unique_ptr<base::Source> open(const tree::Content& content,
                                       const base::CancelToken& cancel) override;
    void on_digest(const tree::Content& content, const base::Digest& digest, base::FileTime opened) override {
        from_.on_digest(content, digest, opened);
    }

  private:
    enum class State { Waiting, Reading, Ready, Failed };
    struct Slot {
        tree::ContentRef content;
        State state = State::Waiting;
        std::string bytes;
        std::exception_ptr error;
    };

    void add(const std::vector<tree::Change>& changes);
    void add(const tree::ContentRef& content);
    void read_ahead();
    bool has_work() const;
    void fill(Slot& slot);
    std::unique_ptr<base::Source> take(Slot& slot);

    tree::ContentProvider& from_;
    base::CancelToken cancel_;
    std::vector<Slot> slots_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::size_t taken_ = 0;       // slots before this one are done with
    std::size_t next_ = 0;        // the next one to read ahead
    std::uint64_t buffered_ = 0;  // bytes of slots read and not taken
    bool stop_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace mullion::worker
