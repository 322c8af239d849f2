// Vertices and edges: the content-addressed graph that a front end makes and the scheduler solves.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/digest.hpp"
#include "base/source_range.hpp"

namespace mullion::solver {

class Vertex;
using VertexRef = std::shared_ptr<const Vertex>;

// One output of a vertex. Most have one output, index 0.
struct Edge {
    VertexRef vertex;
    std::size_t index = 0;
};

// What influences how a vertex is run or shown, but not what it makes: outside the digest by definition.
struct VertexOptions {
    std::string name;           // "[build 2/5] RUN dotnet restore"
    bool ignore_cache = false;  // run even if a result is known; the new result is stored
    std::optional<base::SourceRange> source;
    bool hidden = false;  // progress never tells of it: there is nothing to wait for
};

// Immutable. Equal operation and inputs give an equal digest, and the scheduler merges equal vertices.
class Vertex {
  public:
    // `operation` is opaque to the solver (see solver/operation.hpp for what front end and worker agree on).
    static VertexRef make(std::string operation, std::vector<Edge> inputs, VertexOptions options);

    ~Vertex();
    Vertex(const Vertex&) = delete;
    Vertex& operator=(const Vertex&) = delete;

    const base::Digest& digest() const { return digest_; }
    const std::string& operation() const { return operation_; }
    const std::vector<Edge>& inputs() const { return inputs_; }
    const VertexOptions& options() const { return options_; }

  private:
    Vertex(std::string operation, std::vector<Edge> inputs, VertexOptions options);
    std::string operation_;
    std::vector<Edge> inputs_;
    VertexOptions options_;
    base::Digest digest_;
};

}  // namespace mullion::solver
