// The scheduler's second half: results, by loading what is recorded or by running the op.
#include <utility>

#include "base/error.hpp"
#include "solver/recorder.hpp"
#include "solver/scheduler.hpp"

namespace mullion::solver {

// What a body made, ready to be installed.
struct Scheduler::Made {
    std::size_t index;
    ResultRef result;
    base::Digest canonical;
    std::string payload;
};

void Scheduler::produce(Node& node) {
    bool complete = node.keyed;
    bool loadable = node.keyed && !node.ignore_cache;
    for (const Output& output : node.outputs) {
        if (!output.wanted || output.result) continue;
        complete = false;
        loadable = loadable && !output.payload.empty();
    }
    if (complete) return rest(node);
    if (loadable) return load(node);
    gather(node);
}

void Scheduler::load(Node& node) {
    struct Item {
        std::size_t index;
        std::string payload;
        ResultRef result;
    };
    node.step = Step::Load;
    std::vector<Item> items;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        const Output& output = node.outputs[i];
        if (output.wanted && !output.result) items.push_back({i, output.payload, nullptr});
    }
    auto body = [op = node.op.get(), recorder = Recorder(node, keys_), items = std::move(items)]() mutable {
        for (Item& item : items) {
            item.result = op->load(item.payload, item.index);
            if (!item.result) recorder.forget(item.index);
        }
        return std::move(items);
    };
    start(node, Category::Cpu, std::move(body), [this, &node](std::vector<Item> loaded) {
        for (Item& item : loaded) {
            Output& output = node.outputs[item.index];
            output.result = std::move(item.result);
            if (output.result) {
                release(output.waiters);
            } else {
                output.recorded = false;
                output.payload.clear();
            }
        }
    });
}

void Scheduler::gather(Node& node) {
    if (follow_equal(node)) return;
    node.step = Step::Gather;
    for (const Input& input : node.inputs) need_result(*input.node, input.index, node);
    if (node.pending == 0) execute(node);
}

// Another vertex with an equal key may be executing, or have executed: then its results are ours. That one
// waits for nothing but its own body, so waiting for it cannot close a circle.
bool Scheduler::follow_equal(Node& node) {
    auto equal = executing_.find(*node.definition);
    if (equal == executing_.end() && node.content) equal = executing_.find(*node.content);
    if (equal == executing_.end() || equal->second == &node) return false;
    node.step = Step::Follow;
    node.followed = equal->second;
    run_->nodes.push_back(node.followed);  // it may be of an earlier solve
    if (node.followed->outputs.size() < node.outputs.size()) {
        node.followed->outputs.resize(node.outputs.size());
    }
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        if (!node.outputs[i].used) continue;
        // It is somebody's now: an execution that does not make it fails, instead of being tried again.
        node.followed->outputs[i].used = true;
        need_result(*node.followed, i, node);
    }
    if (node.pending == 0) adopt(node);
    return true;
}

void Scheduler::adopt(Node& node) {
    node.step = Step::Adopt;
    const std::vector<Output>& equal = node.followed->outputs;
    std::vector<Made> all;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        const Output& output = node.outputs[i];
        if (!output.used) continue;
        base::Digest canonical = output.canonical ? *output.canonical : *equal[i].canonical;
        all.push_back({i, equal[i].result, canonical, equal[i].payload});
    }
    auto body = [recorder = Recorder(node, keys_), all = std::move(all)]() mutable {
        for (const Made& made : all) recorder.save(made.index, made.canonical, made.payload);
        return std::move(all);
    };
    start(node, Category::Cpu, std::move(body), [this, &node](std::vector<Made> made) {
        node.progress.cached();
        install(node, std::move(made));
    });
}

void Scheduler::execute(Node& node) {
    if (follow_equal(node)) return;
    node.step = Step::Execute;
    executing_.emplace(*node.definition, &node);
    if (node.content) executing_.emplace(*node.content, &node);

    std::vector<ResultRef> inputs;
    inputs.reserve(node.inputs.size());
    for (const Input& input : node.inputs) inputs.push_back(input.node->outputs[input.index].result);
    std::vector<std::size_t> used;
    bool recomputed = node.cheap && !node.ignore_cache;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        if (!node.outputs[i].used) continue;
        used.push_back(i);
        recomputed = recomputed && node.outputs[i].recorded;
    }
    auto body = [op = node.op.get(), recorder = Recorder(node, keys_), inputs = std::move(inputs),
                 used = std::move(used), context = context(node), progress = &node.progress, recomputed] {
        if (!recomputed) progress->started();
        std::vector<ResultRef> results = op->exec(inputs, context);
        for (std::size_t index : used) {
            if (index >= results.size() || !results[index]) {
                throw base::fail(base::ErrorCode::Internal, "it made no output {}", index);
            }
        }
        std::vector<Made> all;
        for (std::size_t i = 0; i < results.size(); ++i) {
            if (!results[i]) continue;
            Made made{i, std::move(results[i]), recorder.canonical(i), {}};
            made.payload = op->save(made.result, i);
            // Recomputing what was found adds nothing to its record, unless it can be kept this time.
            if (!recomputed || !made.payload.empty()) recorder.save(i, made.canonical, made.payload);
            all.push_back(std::move(made));
        }
        return all;
    };
    start(node, node.category, std::move(body), [this, &node, recomputed](std::vector<Made> made) {
        node.executed = true;
        if (!recomputed) node.progress.completed("");
        install(node, std::move(made));
    });
}

void Scheduler::install(Node& node, std::vector<Made> all) {
    for (Made& made : all) {
        if (made.index >= node.outputs.size()) node.outputs.resize(made.index + 1);
        Output& output = node.outputs[made.index];
        output.result = std::move(made.result);
        output.canonical = made.canonical;
        output.payload = std::move(made.payload);
        output.recorded = true;
        release(output.waiters);
    }
    node.canonical_storable = node.content ? node.content_storable : node.definition_storable;
    node.keyed = true;
    release(node.key_waiters);
}

ResultRef Scheduler::known_result(const Edge& edge) {
    Node* node = edge.vertex ? graph_.find(edge.vertex->digest()) : nullptr;
    if (node == nullptr || edge.index >= node->outputs.size()) return nullptr;
    return node->outputs[edge.index].result;
}

void Scheduler::save_late(const Edge& edge, const ResultRef& result) {
    if (!known_result(edge)) {
        throw base::Error(base::ErrorCode::Internal, "a result of something that was never solved");
    }
    Node* node = graph_.find(edge.vertex->digest());
    Output& output = node->outputs[edge.index];
    std::string payload = node->op->save(result, edge.index);
    if (payload.empty() || payload == output.payload) return;
    Recorder(*node, keys_).save(edge.index, *output.canonical, payload);
    output.payload = std::move(payload);
}

// Nodes that never got to their end are nobody's equals.
void Scheduler::retract(const Node& node) {
    if (node.executed) return;
    for (const std::optional<base::Digest>& root : {node.definition, node.content}) {
        if (!root) continue;
        auto found = executing_.find(*root);
        if (found != executing_.end() && found->second == &node) executing_.erase(found);
    }
}

}  // namespace mullion::solver
