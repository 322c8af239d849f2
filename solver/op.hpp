// What the scheduler asks of the thing that runs a vertex. The worker implements Op; tests implement sums and
// constants.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/digest.hpp"
#include "base/progress.hpp"
#include "solver/vertex.hpp"

namespace mullion::solver {

// An immutable output. Shared by everybody who depends on it.
class Result {
  public:
    virtual ~Result() = default;
};
using ResultRef = std::shared_ptr<const Result>;

// Which kind of limit a body counts against. Wait bodies run on threads of their own and never hold a TBB
// slot.
enum class Category { Cpu, Wait };

struct CacheMap {
    // Digest of everything about the op that is not an input.
    base::Digest operation;
    // The digest above is random ("never matches by itself"): nothing is looked up or stored under keys that
    // contain it.
    bool session_only = false;
    // Empty, or one per input. Absent function: the input counts by its own key only. Functions of different
    // inputs may run at the same time.
    using ContentDigest =
        std::function<base::Digest(const ResultRef& input, const base::CancelToken& cancel)>;
    std::vector<ContentDigest> content_digests;
};

// What a body may use. Log, status and warning events it emits become those of its vertex. Valid until the
// body returns.
struct ExecContext {
    base::CancelToken cancel;
    base::ProgressSink* progress;
    base::Digest vertex;
};

// Made once per vertex. Its calls come from pool threads, one at a time; they may throw anything.
class Op {
  public:
    virtual ~Op() = default;
    // Where exec() runs; everything else runs as Cpu.
    virtual Category category() const = 0;
    // Called once, before anything is looked up. May do small I/O (a manifest), not more, unless
    // pins_remotely().
    virtual CacheMap cache_map(const ExecContext& context) = 0;
    // The outputs. Inputs are complete. Throws on failure; the vertex's source range is added by the
    // scheduler.
    virtual std::vector<ResultRef> exec(const std::vector<ResultRef>& inputs, const ExecContext& context) = 0;
    // True if running again costs next to nothing (a pure function of values): then a key hit without a
    // payload is enough to call the vertex cached, and its result is recomputed when somebody needs it.
    virtual bool cheap() const { return false; }
    // True if cache_map() asks a server what there is; it then runs as Wait.
    virtual bool pins_remotely() const { return false; }
    // How to get `result` back later; empty: not kept.
    virtual std::string save(const ResultRef& result, std::size_t index) = 0;
    // The saved result, or null if it can no longer be had (then the vertex runs).
    virtual ResultRef load(const std::string& payload, std::size_t index) = 0;
};

// Called from pool threads, several at a time.
using OpResolver = std::function<std::unique_ptr<Op>(const VertexRef&)>;

}  // namespace mullion::solver
