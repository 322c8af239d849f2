// Constants and sums: a fake world to solve graphs in, without disks and processes. Every op records what was
// asked of it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cache/key_store.hpp"
#include "solver/op.hpp"
#include "solver/solve.hpp"

namespace mullion::test {

// Released once, for good. wait() gives up after a while, so that a broken scheduler fails instead of
// hanging.
class Latch {
  public:
    explicit Latch(int count = 1) : count_(count) {}
    void count_down() {
        std::lock_guard lock(mutex_);
        if (--count_ <= 0) changed_.notify_all();
    }
    bool wait() {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, std::chrono::seconds(60), [&] { return count_ <= 0; });
    }

  private:
    std::mutex mutex_;
    std::condition_variable changed_;
    int count_;
};

class Number final : public solver::Result {
  public:
    explicit Number(int v) : value(v) {}
    const int value;
};

inline int value_of(const solver::ResultRef& result) {
    return dynamic_cast<const Number&>(*result).value;
}

class FakeKeyStore final : public cache::KeyStore {
  public:
    std::optional<cache::KeyRecord> find(const base::Digest& key) override;
    void save(const std::vector<base::Digest>& keys, const cache::KeyRecord& record) override;
    void forget(const base::Digest& key) override;
    std::size_t size();
    std::size_t saves();  // calls of save()

    std::set<std::string> failing;  // "find", "save": these throw

  private:
    std::mutex mutex_;
    std::map<base::Digest, cache::KeyRecord> records_;
    std::size_t saves_ = 0;
};

class RecordingProgress final : public base::ProgressSink {
  public:
    void emit(const base::ProgressEvent& event) override;
    std::vector<base::ProgressEvent> events();
    // Events of the vertex of that name, in short: "announced", "started", "cached", "done", "error: ...".
    std::vector<std::string> life(const std::string& name);

  private:
    std::mutex mutex_;
    std::vector<base::ProgressEvent> events_;
};

// How the op of a vertex behaves; the vertex's operation string names it.
struct Spec {
    using Body = std::function<int(const std::vector<int>&, const solver::ExecContext&)>;
    std::string key;             // empty: the operation string
    Body body;                   // empty: sum of inputs
    std::size_t outputs = 1;     // output i has value + i
    std::vector<bool> contents;  // which inputs count by content
    solver::Category category = solver::Category::Cpu;
    bool cheap = false;
    bool pins_remotely = false;
    bool kept = true;               // save() returns a payload
    const bool* durable = nullptr;  // ... once this is true
    bool session_only = false;
    std::function<void()> on_cache_map;
    bool reports_pinning = false;  // cache_map() emits a status
};

class World {
  public:
    Spec& operator[](const std::string& operation) { return specs_[operation]; }
    // A vertex whose name is its operation. `value`: a constant of that value, else a sum.
    solver::VertexRef sum(const std::string& operation, const std::vector<solver::VertexRef>& inputs);
    solver::VertexRef constant(const std::string& operation, int value);

    solver::OpResolver resolver();
    // "exec x", "load x", "digest x", in order.
    std::vector<std::string> log();
    std::size_t count(const std::string& entry);
    void clear_log();
    void lose_payloads();

    solver::VertexOptions options;  // of vertices made from now on; the name is filled in

  private:
    friend class FakeOp;
    void note(std::string entry);
    std::mutex mutex_;
    std::map<std::string, Spec> specs_;
    std::vector<std::string> log_;
    bool lost_ = false;
};

}  // namespace mullion::test
