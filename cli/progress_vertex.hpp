// A progress vertex for work that is no vertex of the graph ("[internal] load build definition from
// Dockerfile").
#pragma once

#include <exception>
#include <string>
#include <type_traits>
#include <utility>

#include "base/progress.hpp"

namespace mullion::cli {

// Started on construction; completed by done(), or with an error when destroyed before that.
class ProgressVertex {
  public:
    ProgressVertex(base::ProgressSink& progress, std::string name);
    ~ProgressVertex();
    ProgressVertex(const ProgressVertex&) = delete;
    ProgressVertex& operator=(const ProgressVertex&) = delete;

    // What events about the vertex of this name refer to.
    static base::Digest digest_of(const std::string& name) { return base::Digest::of(name); }

    void done();
    void failed(const std::string& message);

  private:
    void complete(std::string error);

    base::ProgressSink& progress_;
    base::VertexEvent event_;
    bool open_ = true;
};

// Runs `body` inside a vertex; what it throws is shown there and thrown on.
template <typename Body>
decltype(auto) with_vertex(base::ProgressSink& progress, std::string name, Body&& body) {
    ProgressVertex vertex(progress, std::move(name));
    try {
        if constexpr (std::is_void_v<std::invoke_result_t<Body>>) {
            body();
            vertex.done();
        } else {
            auto value = body();
            vertex.done();
            return value;
        }
    } catch (const std::exception& error) {
        vertex.failed(error.what());
        throw;
    }
}

}  // namespace mullion::cli
