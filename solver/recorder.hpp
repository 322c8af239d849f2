// How the results of one node are recorded: a value taken from the node by the owner of the graph, for use in
// bodies.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cache/key_store.hpp"
#include "solver/graph.hpp"

namespace mullion::solver {

class Recorder {
  public:
    // `store` may be null: then nothing is recorded. The node's roots are known.
    Recorder(const Node& node, cache::KeyStore* store);

    // The key dependants use, or will use, for this output.
    base::Digest canonical(std::size_t index) const;
    // Under every key that can be found again.
    void save(std::size_t index, const base::Digest& canonical, const std::string& payload) const;
    // Only under the key that needs no contents, if that can be found again.
    void save_definition(std::size_t index, const base::Digest& canonical, const std::string& payload) const;
    void forget(std::size_t index) const;

  private:
    std::vector<base::Digest> keys(std::size_t index) const;

    cache::KeyStore* store_;
    base::Digest root_;
    bool fresh_;
    std::vector<std::optional<base::Digest>> known_;  // canonical keys in use already
    std::optional<base::Digest> storable_definition_;
    std::vector<base::Digest> storable_roots_;
};

}  // namespace mullion::solver
