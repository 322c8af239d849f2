#include "solver/graph.hpp"

#include <unordered_set>

#include "base/error.hpp"

namespace mullion::solver {
namespace {

// Indexes are data of the front end; no op has that many outputs.
constexpr std::size_t kMaxOutputs = 4096;

// Every vertex object reached, inputs before dependants. Objects, not digests: two equal vertices may differ
// in options. Without recursion: chains may be long.
std::vector<VertexRef> reachable(const std::vector<Edge>& targets) {
    struct Visit {
        VertexRef vertex;
        std::size_t next_input = 0;
    };
    std::vector<VertexRef> order;
    std::unordered_set<const Vertex*> seen;
    std::vector<Visit> path;
    for (const Edge& target : targets) {
        if (!target.vertex) throw base::Error(base::ErrorCode::Internal, "a target without a vertex");
        if (seen.insert(target.vertex.get()).second) path.push_back({target.vertex});
        while (!path.empty()) {
            Visit& visit = path.back();
            if (visit.next_input == visit.vertex->inputs().size()) {
                order.push_back(std::move(visit.vertex));
                path.pop_back();
                continue;
            }
            const VertexRef& input = visit.vertex->inputs()[visit.next_input++].vertex;
            if (seen.insert(input.get()).second) path.push_back({input});
        }
    }
    return order;
}

void use(Node& node, std::size_t index) {
    if (index >= kMaxOutputs) {
        throw base::fail(base::ErrorCode::Internal, "output {} of {}", index, node.vertex->options().name);
    }
    if (index >= node.outputs.size()) node.outputs.resize(index + 1);
    Output& output = node.outputs[index];
    output.used = true;
    if (!output.canonical) node.keyed = false;
}

}  // namespace

void Node::forget_solve() {
    step = Step::Idle;
    queued = false;
    pending = 0;
    key_waiters.clear();
    for (Output& output : outputs) {
        output.wanted = false;
        output.waiters.clear();
    }
}

Node* Graph::find(const base::Digest& vertex) {
    auto found = current_.find(vertex);
    return found == current_.end() ? nullptr : found->second;
}

Node& Graph::add_vertex(const VertexRef& vertex, bool ignore_cache) {
    std::vector<Input> inputs;
    inputs.reserve(vertex->inputs().size());
    for (const Edge& edge : vertex->inputs()) {
        Node& input = *current_.at(edge.vertex->digest());
        use(input, edge.index);
        inputs.push_back({&input, edge.index});
    }
    Node*& node = current_[vertex->digest()];
    auto same_input = [](const Input& a, const Input& b) { return a.node == b.node; };
    bool reusable = node != nullptr && (node->ignore_cache || node->executed || !ignore_cache) &&
                    std::equal(inputs.begin(), inputs.end(), node->inputs.begin(), same_input);
    if (!reusable) {
        node = &nodes_.emplace_back(vertex, std::move(inputs), sink_);
        node->ignore_cache = ignore_cache;
    }
    return *node;
}

std::vector<Node*> Graph::add(const std::vector<Edge>& targets) {
    std::vector<VertexRef> vertices = reachable(targets);
    std::unordered_set<base::Digest> ignoring;
    for (const VertexRef& vertex : vertices) {
        if (vertex->options().ignore_cache) ignoring.insert(vertex->digest());
    }
    std::vector<Node*> nodes;
    std::unordered_set<const Node*> seen;
    for (const VertexRef& vertex : vertices) {
        Node& node = add_vertex(vertex, ignoring.contains(vertex->digest()));
        if (seen.insert(&node).second) nodes.push_back(&node);
    }
    for (const Edge& target : targets) use(*current_.at(target.vertex->digest()), target.index);
    return nodes;
}

}  // namespace mullion::solver
