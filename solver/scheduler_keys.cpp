// The scheduler's first half: from inputs' keys to the keys of a node, and what is recorded under them.
#include <utility>

#include "base/error.hpp"
#include "solver/cache_key.hpp"
#include "solver/recorder.hpp"
#include "solver/scheduler.hpp"

namespace mullion::solver {
namespace {

struct Identity {
    std::unique_ptr<Op> op;
    std::optional<CacheMap> map;  // absent: it is to be had by waiting
    Category category;
    bool cheap;
};

}  // namespace

void Scheduler::identify(Node& node) {
    node.step = Step::Identify;
    for (const Input& input : node.inputs) need_keys(*input.node, node);
    if (!node.map) {
        auto ask = [this, vertex = node.vertex, context = context(node)] {
            std::unique_ptr<Op> op = resolver_(vertex);
            if (!op) throw base::Error(base::ErrorCode::Internal, "nothing runs this vertex");
            std::optional<CacheMap> map;
            if (!op->pins_remotely()) map = op->cache_map(context);
            Category category = op->category();
            bool cheap = op->cheap();
            return Identity{std::move(op), std::move(map), category, cheap};
        };
        start(node, Category::Cpu, std::move(ask), [this, &node](Identity identity) {
            node.op = std::move(identity.op);
            node.category = identity.category;
            node.cheap = identity.cheap;
            if (identity.map) return take_map(node, std::move(*identity.map));
            start(
                node, Category::Wait,
                [op = node.op.get(), context = context(node)] { return op->cache_map(context); },
                [this, &node](CacheMap map) { take_map(node, std::move(map)); });
        });
    }
    if (node.pending == 0) look_up_definition(node);
}

void Scheduler::take_map(Node& node, CacheMap map) {
    std::size_t functions = map.content_digests.size();
    if (functions != 0 && functions != node.inputs.size()) {
        throw base::Error(base::ErrorCode::Internal, "not one content function per input");
    }
    node.map = std::move(map);
    node.input_contents.resize(node.inputs.size());
}

void Scheduler::look_up_definition(Node& node) {
    bool storable = keys_ != nullptr && !node.map->session_only;
    std::vector<base::Digest> inputs;
    inputs.reserve(node.inputs.size());
    for (const Input& input : node.inputs) {
        inputs.push_back(*input.node->outputs[input.index].canonical);
        storable = storable && input.node->canonical_storable;
    }
    node.definition = definition_root(node.map->operation, inputs);
    node.definition_storable = storable;
    if (look_up(node, *node.definition, storable)) return settle_keys(node);
    // Without a store nothing can be found under a content key, and nothing recorded.
    if (keys_ != nullptr && !node.map->content_digests.empty()) return read_inputs(node);
    settle_keys(node);
}

void Scheduler::read_inputs(Node& node) {
    node.step = Step::ReadInputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (!node.has_content_function(i) || node.input_contents[i]) continue;
        need_result(*node.inputs[i].node, node.inputs[i].index, node);
    }
    if (node.pending == 0) digest_inputs(node);
}

void Scheduler::digest_inputs(Node& node) {
    node.step = Step::DigestInputs;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (!node.has_content_function(i) || node.input_contents[i]) continue;
        const Input& input = node.inputs[i];
        start(
            node, Category::Cpu,
            [digest = node.map->content_digests[i], result = input.node->outputs[input.index].result,
             stop = run_->stop.token()] { return digest(result, stop); },
            [&node, i](base::Digest digest) { node.input_contents[i] = digest; });
    }
    if (node.pending == 0) look_up_content(node);
}

void Scheduler::look_up_content(Node& node) {
    bool storable = !node.map->session_only;
    std::vector<InputKey> inputs;
    inputs.reserve(node.inputs.size());
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const Input& input = node.inputs[i];
        if (node.input_contents[i]) {
            inputs.push_back({*node.input_contents[i], true});
        } else {
            inputs.push_back({*input.node->outputs[input.index].canonical, false});
            storable = storable && input.node->canonical_storable;
        }
    }
    node.content = content_root(node.map->operation, inputs);
    node.content_storable = storable;
    look_up(node, *node.content, storable);
    settle_keys(node);
}

// Fills the used outputs that have a usable record under `root`. True if none is left without.
bool Scheduler::look_up(Node& node, const base::Digest& root, bool storable) {
    if (node.ignore_cache || node.executed) return false;
    bool all = true;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        Output& output = node.outputs[i];
        if (!output.used || output.recorded) continue;
        std::optional<cache::KeyRecord> record;
        if (storable) record = keys_->find(output_key(root, i));
        output.recorded = record && (!record->payload.empty() || node.cheap);
        all = all && output.recorded;
        if (!output.recorded) continue;
        output.canonical = record->canonical;
        output.payload = std::move(record->payload);
        // Found by content: the next look-up shall find it by definition.
        if (node.content) Recorder(node, keys_).save_definition(i, *output.canonical, output.payload);
    }
    return all;
}

// Every way of looking has been tried. Dependants can go on, unless this node is to be run whatever is known:
// then its key is fresh, and there is none before it has run.
void Scheduler::settle_keys(Node& node) {
    if (node.ignore_cache && !node.executed) {
        node.step = Step::Idle;
        return produce(node);
    }
    bool cached = true;
    node.canonical_storable = node.content ? node.content_storable : node.definition_storable;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        Output& output = node.outputs[i];
        if (!output.used) continue;
        cached = cached && output.recorded;
        if (!output.canonical)
            output.canonical = output_key(node.content ? *node.content : *node.definition, i);
    }
    node.keyed = true;
    if (cached && !node.executed) node.progress.cached();
    release(node.key_waiters);
    rest(node);
}

}  // namespace mullion::solver
