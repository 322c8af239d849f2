#include "solver/vertex.hpp"

#include <utility>

#include "base/error.hpp"

namespace mullion::solver {
namespace {

base::Digest digest_of(const std::string& operation, const std::vector<Edge>& inputs) {
    base::Hasher hasher;
    hasher.field("mullion vertex").field(operation).number(inputs.size());
    for (const Edge& input : inputs) {
        if (!input.vertex) throw base::Error(base::ErrorCode::Internal, "an input edge without a vertex");
        const base::Digest::Bytes& bytes = input.vertex->digest().bytes();
        hasher.update({reinterpret_cast<const char*>(bytes.data()), bytes.size()}).number(input.index);
    }
    return hasher.finish();
}

}  // namespace

Vertex::Vertex(std::string operation, std::vector<Edge> inputs, VertexOptions options)
    : operation_(std::move(operation)),
      inputs_(std::move(inputs)),
      options_(std::move(options)),
      digest_(digest_of(operation_, inputs_)) {}

VertexRef Vertex::make(std::string operation, std::vector<Edge> inputs, VertexOptions options) {
    return VertexRef(new Vertex(std::move(operation), std::move(inputs), std::move(options)));
}

// The last reference to a chain of vertices must not destroy it by recursion: the outermost destructor on a
// thread collects what the inner ones would have released and releases it in a loop.
Vertex::~Vertex() {
    thread_local std::vector<std::vector<Edge>>* pending = nullptr;
    if (inputs_.empty()) return;
    if (pending != nullptr) {
        pending->push_back(std::move(inputs_));
        return;
    }
    std::vector<std::vector<Edge>> released;
    pending = &released;
    released.push_back(std::move(inputs_));
    while (!released.empty()) {
        std::vector<Edge> edges = std::move(released.back());
        released.pop_back();
        edges.clear();
    }
    pending = nullptr;
}

}  // namespace mullion::solver
