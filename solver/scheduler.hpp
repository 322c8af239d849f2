// The event loop that solves a graph. See solve.hpp for what it promises.
//
// Every node walks through the steps of graph.hpp; at most one step at a time. A step asks for what it needs
// (keys or results of inputs, bodies on the pool), each counted in `pending`, and goes on when the count is
// zero. Nothing recurses along edges: nodes that can go on are put into a queue.
#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "cache/key_store.hpp"
#include "solver/completion_queue.hpp"
#include "solver/graph.hpp"
#include "solver/solve.hpp"
#include "solver/task_pool.hpp"

namespace mullion::solver {

class Scheduler {
  public:
    Scheduler(OpResolver resolver, cache::KeyStore* keys, base::ProgressSink& progress, Limits limits);

    std::vector<ResultRef> solve(const std::vector<Edge>& targets, const base::CancelToken& cancel);
    ResultRef known_result(const Edge& edge);
    void save_late(const Edge& edge, const ResultRef& result);

  private:
    // One call of solve().
    struct Run {
        explicit Run(const base::CancelToken& cancel) : outer(cancel), stop(cancel) {}
        base::CancelToken outer;
        base::CancelSource stop;  // fires with `outer` and on the first failure
        std::vector<Node*> nodes;
        std::deque<Node*> ready;
        std::size_t in_flight = 0;
        std::optional<base::Error> failure;
    };

    void loop();
    void finish(Completion& completion);
    void fail(Node* node, base::Error error);

    // The queue of nodes that can go on.
    void enqueue(Node& node);
    void release(std::vector<Node*>& waiters);
    void need_keys(Node& node, Node& dependant);
    void need_result(Node& node, std::size_t index, Node& dependant);
    void advance(Node& node);
    void rest(Node& node);

    // Keys.
    void identify(Node& node);
    void take_map(Node& node, CacheMap map);
    void look_up_definition(Node& node);
    void read_inputs(Node& node);
    void digest_inputs(Node& node);
    void look_up_content(Node& node);
    bool look_up(Node& node, const base::Digest& root, bool storable);
    void settle_keys(Node& node);

    // Results.
    void produce(Node& node);
    void load(Node& node);
    void gather(Node& node);
    bool follow_equal(Node& node);
    void execute(Node& node);
    void adopt(Node& node);
    struct Made;
    void install(Node& node, std::vector<Made> all);
    void retract(const Node& node);

    // Runs `body` on the pool and counts it; `then(outcome)` runs on the owner.
    template <typename Body, typename Then>
    void start(Node& node, Category category, Body body, Then then);
    ExecContext context(Node& node) const;

    OpResolver resolver_;
    cache::KeyStore* keys_;
    Graph graph_;
    // Nodes that execute or have executed, by their roots.
    std::unordered_map<base::Digest, Node*> executing_;
    Run* run_ = nullptr;
    std::shared_ptr<CompletionQueue> completions_ = std::make_shared<CompletionQueue>();
    TaskPool pool_;  // last: its destructor waits for bodies that use the rest
};

template <typename Body, typename Then>
void Scheduler::start(Node& node, Category category, Body body, Then then) {
    using Outcome = decltype(body());
    auto task = [queue = completions_, target = &node, stop = run_->stop.token(), body = std::move(body),
                 then = std::move(then)]() mutable {
        Completion completion{target, {}, {}};
        try {
            stop.check();
            auto outcome = std::make_shared<Outcome>(body());
            completion.apply = [outcome, then = std::move(then)]() mutable { then(std::move(*outcome)); };
        } catch (...) {
            completion.error = current_error();
        }
        queue->push(std::move(completion));
    };
    pool_.submit(category, std::move(task));
    ++node.pending;
    ++run_->in_flight;
}

}  // namespace mullion::solver
