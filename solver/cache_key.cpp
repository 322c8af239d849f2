#include "solver/cache_key.hpp"

#include <random>
#include <string_view>

namespace mullion::solver {
namespace {

std::string_view bytes_of(const base::Digest& digest) {
    return {reinterpret_cast<const char*>(digest.bytes().data()), base::Digest::kSize};
}

}  // namespace

// Everything after the first field has a fixed size or is counted, so no two inputs give the same bytes.

base::Digest definition_root(const base::Digest& operation,
                             const std::vector<base::Digest>& canonical_inputs) {
    base::Hasher hasher;
    hasher.field("mullion definition key").update(bytes_of(operation)).number(canonical_inputs.size());
    for (const base::Digest& input : canonical_inputs) hasher.update(bytes_of(input));
    return hasher.finish();
}

base::Digest content_root(const base::Digest& operation, const std::vector<InputKey>& inputs) {
    base::Hasher hasher;
    hasher.field("mullion content key").update(bytes_of(operation)).number(inputs.size());
    for (const InputKey& input : inputs) {
        hasher.number(input.content ? 1 : 0).update(bytes_of(input.digest));
    }
    return hasher.finish();
}

base::Digest output_key(const base::Digest& root, std::size_t index) {
    base::Hasher hasher;
    return hasher.field("mullion output key").update(bytes_of(root)).number(index).finish();
}

base::Digest fresh_key(const base::Digest& root, std::size_t index) {
    std::random_device random;
    base::Hasher hasher;
    hasher.field("mullion fresh key").update(bytes_of(root)).number(index);
    for (int i = 0; i < 4; ++i) hasher.number(std::uint64_t{random()} << 32 | random());
    return hasher.finish();
}

}  // namespace mullion::solver
