// The scheduler's memory of vertices: one Node per distinct vertex, with what is known of its keys and
// results. Only the thread inside solve() touches it.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "solver/op.hpp"
#include "solver/vertex.hpp"
#include "solver/vertex_progress.hpp"

namespace mullion::solver {

struct Node;

struct Input {
    Node* node;
    std::size_t index;
};

struct Output {
    bool used = false;  // somebody's input, or a target
    // The key dependants count this output by.
    std::optional<base::Digest> canonical;
    // From a record, or of a result that was saved; empty: nothing to load from.
    bool recorded = false;
    std::string payload;
    ResultRef result;

    // Of the running solve.
    bool wanted = false;
    std::vector<Node*> waiters;  // for the result
};

// What a node is doing. It moves on when `pending` has dropped to zero.
enum class Step {
    Idle,
    Identify,      // op made, its cache map asked, canonical keys of inputs awaited
    ReadInputs,    // results of the inputs that have content functions awaited
    DigestInputs,  // content functions running
    Load,          // recorded results being loaded
    Gather,        // results of all inputs awaited
    Execute,       // exec() running
    Follow,        // waiting for a node with equal keys that executes
    Adopt,         // recording what that node made under this node's keys
};

struct Node {
    Node(VertexRef v, std::vector<Input> i, base::ProgressSink& sink)
        : vertex(std::move(v)), inputs(std::move(i)), progress(vertex, sink) {}

    VertexRef vertex;
    std::vector<Input> inputs;
    std::vector<Output> outputs;
    bool ignore_cache = false;

    std::unique_ptr<Op> op;
    Category category = Category::Cpu;
    bool cheap = false;
    std::optional<CacheMap> map;
    std::vector<std::optional<base::Digest>> input_contents;  // one per input

    std::optional<base::Digest> definition;  // roots, see cache_key.hpp
    std::optional<base::Digest> content;
    bool definition_storable = false;  // not made of session-only keys
    bool content_storable = false;
    bool canonical_storable = false;

    bool keyed = false;  // every used output has its canonical key
    bool executed = false;
    VertexProgress progress;

    // Of the running solve.
    Step step = Step::Idle;
    Node* followed = nullptr;
    bool queued = false;
    std::size_t pending = 0;
    std::vector<Node*> key_waiters;

    bool has_content_function(std::size_t input) const {
        return !map->content_digests.empty() && map->content_digests[input];
    }
    void forget_solve();
};

class Graph {
  public:
    explicit Graph(base::ProgressSink& sink) : sink_(sink) {}

    // Adds what `targets` reach, merging equal vertices with each other and with what is known. Returns the
    // nodes reached, inputs before dependants. A vertex that asks to ignore the cache gets a new node unless
    // the known one has executed; so does everything above it.
    std::vector<Node*> add(const std::vector<Edge>& targets);

    // The current node of a vertex; null if it was never added.
    Node* find(const base::Digest& vertex);
    base::ProgressSink& sink() { return sink_; }

  private:
    Node& add_vertex(const VertexRef& vertex, bool ignore_cache);
    base::ProgressSink& sink_;
    std::deque<Node> nodes_;
    std::unordered_map<base::Digest, Node*> current_;
};

}  // namespace mullion::solver
