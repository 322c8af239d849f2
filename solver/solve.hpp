// Solving: evaluate edges of a graph with as much reuse and parallelism as there is.
//
// One thread owns the graph's state; bodies run elsewhere (TBB arena for Cpu, own threads for Wait) and post
// their completions back. A failed vertex cancels the rest of its solve; the first error is thrown once
// everything has stopped, with the vertex's source range and name. Whatever had not completed by then gets a
// completed event with the error "canceled". A later solve() starts from what was completed.
//
// Evaluation is lazy: what only a cached vertex reads is neither run nor loaded (but told of as cached, if it
// is). A vertex whose record is found and can be used is cached; a cheap op (see Op::cheap) needs no payload
// for that. If the payload turns out to be unusable the vertex runs after all.
//
// Cache keys. Each vertex has a definition key H(op, output, canonical keys of the inputs) and, if some of
// its inputs have a content function, a content key in which these inputs count by what is read of them.
// Look-up: definition key; on a miss the inputs with content functions are evaluated and the content key is
// looked up; on a miss the op runs. Results are stored under both keys with the canonical key (content key if
// there is one, else definition key) that dependants use: a rebuilt but identical input stops the rebuild
// there. Vertices whose keys turn out equal while one of them executes share its results. A vertex run under
// ignore_cache gets a fresh canonical key, so nothing made from the older result is taken for made from the
// new one, unless it reads the same content.
#pragma once

#include <memory>
#include <vector>

#include "base/cancel.hpp"
#include "base/progress.hpp"
#include "cache/key_store.hpp"
#include "solver/op.hpp"

namespace mullion::solver {

struct Limits {
    std::size_t cpu_threads = 0;   // 0: one per processor
    std::size_t wait_threads = 0;  // 0: one per processor + 2
};

class Solver {
  public:
    // Keeps references; `keys` may be null (no cache at all) and must take calls from several threads.
    Solver(OpResolver resolver, cache::KeyStore* keys, base::ProgressSink& progress, Limits limits = {});
    ~Solver();

    // Evaluates all edges, sharing equal vertices. Results come in the order of `targets`. May be called
    // again on the same Solver: results of earlier calls are reused. Calls from several threads take turns.
    std::vector<ResultRef> solve(const std::vector<Edge>& targets, const base::CancelToken& cancel);

    // The result, if an earlier solve() evaluated this edge; else null.
    ResultRef known_result(const Edge& edge);

    // Records a payload for a result that was made durable after it was computed (an exporter wrote its
    // layer). Waits for a running solve().
    void save_late(const Edge& edge, const ResultRef& result);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mullion::solver
