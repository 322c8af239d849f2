#include "solver/scheduler.hpp"

#include <source_location>
#include <utility>

#include "base/error.hpp"

namespace mullion::solver {
namespace {

// With the reason whoever canceled gave.
base::Error cancellation(const base::CancelToken& token) {
    try {
        token.check();
    } catch (const base::Error& error) {
        return error;
    }
    return base::Error(base::ErrorCode::Canceled, "canceled");
}

}  // namespace

Scheduler::Scheduler(OpResolver resolver, cache::KeyStore* keys, base::ProgressSink& progress, Limits limits)
    : resolver_(std::move(resolver)),
      keys_(keys),
      graph_(progress),
      pool_(limits.cpu_threads, limits.wait_threads) {}

std::vector<ResultRef> Scheduler::solve(const std::vector<Edge>& targets, const base::CancelToken& cancel) {
    cancel.check();
    Run run(cancel);
    run.nodes = graph_.add(targets);
    run_ = &run;
    for (Node* node : run.nodes) node->progress.announce();
    auto wake = cancel.on_cancel([queue = completions_] { queue->push({}); });

    // Waits for all targets as if they were its inputs; it has no step of its own.
    Node goal(nullptr, {}, graph_.sink());
    for (const Edge& target : targets) need_result(*graph_.find(target.vertex->digest()), target.index, goal);
    loop();

    for (Node* node : run.nodes) {
        if (run.failure) {
            node->progress.abandon();
            retract(*node);
        }
        node->forget_solve();
    }
    run_ = nullptr;
    if (run.failure) throw std::move(*run.failure);
    if (goal.pending != 0) {
        throw base::Error(base::ErrorCode::Internal, "the graph came to rest before its targets were done");
    }
    std::vector<ResultRef> results;
    results.reserve(targets.size());
    for (const Edge& target : targets) {
        results.push_back(graph_.find(target.vertex->digest())->outputs[target.index].result);
    }
    return results;
}

void Scheduler::loop() {
    while (true) {
        while (!run_->ready.empty() && !run_->failure) {
            Node& node = *run_->ready.front();
            run_->ready.pop_front();
            node.queued = false;
            try {
                advance(node);
            } catch (...) {
                fail(&node, current_error());
            }
        }
        if (run_->in_flight == 0) return;
        for (Completion& completion : completions_->wait()) finish(completion);
    }
}

void Scheduler::finish(Completion& completion) {
    if (completion.node == nullptr) {
        if (run_->outer.canceled()) fail(nullptr, cancellation(run_->outer));
        return;
    }
    Node& node = *completion.node;
    --run_->in_flight;
    --node.pending;
    if (completion.error) return fail(&node, std::move(*completion.error));
    try {
        completion.apply();
    } catch (...) {
        return fail(&node, current_error());
    }
    if (node.pending == 0) enqueue(node);
}

// The first failure is the solve's. What fails once everything is being stopped fails for that reason,
// whatever it says: a killed process looks like a failed one.
void Scheduler::fail(Node* node, base::Error error) {
    bool stopped = run_->stop.token().canceled();
    if (node != nullptr && !stopped) {
        const VertexOptions& options = node->vertex->options();
        node->progress.completed(error.what());
        if (options.source) error.at(*options.source);
        if (!options.name.empty()) error.add_frame(options.name, std::source_location::current());
    }
    if (run_->failure) return;
    if (stopped) error = cancellation(run_->outer);
    run_->failure = std::move(error);
    run_->stop.cancel();
}

void Scheduler::enqueue(Node& node) {
    if (node.queued || !node.vertex) return;
    node.queued = true;
    run_->ready.push_back(&node);
}

void Scheduler::release(std::vector<Node*>& waiters) {
    for (Node* waiter : std::exchange(waiters, {})) {
        if (--waiter->pending == 0) enqueue(*waiter);
    }
}

void Scheduler::need_keys(Node& node, Node& dependant) {
    if (node.keyed) return;
    node.key_waiters.push_back(&dependant);
    ++dependant.pending;
    if (node.step == Step::Idle) enqueue(node);
}

void Scheduler::need_result(Node& node, std::size_t index, Node& dependant) {
    Output& output = node.outputs[index];
    if (output.result) return;
    output.wanted = true;
    output.waiters.push_back(&dependant);
    ++dependant.pending;
    if (node.step == Step::Idle) enqueue(node);
}

void Scheduler::advance(Node& node) {
    switch (node.step) {
        case Step::Idle:
            return node.keyed ? produce(node) : identify(node);
        case Step::Identify:
            return look_up_definition(node);
        case Step::ReadInputs:
            return digest_inputs(node);
        case Step::DigestInputs:
            return look_up_content(node);
        case Step::Load:
            return produce(node);
        case Step::Gather:
            return execute(node);
        case Step::Follow:
            return adopt(node);
        case Step::Execute:
        case Step::Adopt:
            return rest(node);
    }
}

// Between steps. What was asked for meanwhile is taken up.
void Scheduler::rest(Node& node) {
    node.step = Step::Idle;
    for (const Output& output : node.outputs) {
        if (output.wanted && !output.result) return enqueue(node);
    }
}

ExecContext Scheduler::context(Node& node) const {
    return {run_->stop.token(), &node.progress, node.vertex->digest()};
}

}  // namespace mullion::solver
