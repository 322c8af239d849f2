// The algebra of cache keys. A key is a digest; keys of different kinds never coincide.
//
// A *root* stands for all outputs of a vertex, output_key() for one of them. A definition root counts every
// input by its canonical key. A content root counts the inputs that have a content function by the digest of
// what is read of them, the rest by their canonical keys.
#pragma once

#include <cstddef>
#include <vector>

#include "base/digest.hpp"

namespace mullion::solver {

struct InputKey {
    base::Digest digest;
    bool content = false;  // a content digest, not a canonical key
};

base::Digest definition_root(const base::Digest& operation,
                             const std::vector<base::Digest>& canonical_inputs);
base::Digest content_root(const base::Digest& operation, const std::vector<InputKey>& inputs);
base::Digest output_key(const base::Digest& root, std::size_t index);

// A canonical key nobody has seen: for a result that was made although one was known, so that what was made
// from the older one is not mistaken for made from this one.
base::Digest fresh_key(const base::Digest& root, std::size_t index);

}  // namespace mullion::solver
