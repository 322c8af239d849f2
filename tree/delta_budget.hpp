// Counts what a Delta (or what is known of one) takes in memory, and refuses what is beyond its limits.
#pragma once

#include <cstddef>

#include "base/error.hpp"
#include "tree/delta.hpp"

namespace mullion::tree {

class DeltaBudget {
  public:
    explicit DeltaBudget(const DeltaLimits& limits) : limits_(limits) {}

    // Throws Invalid beyond the limit.
    void add_entry() {
        if (++entries_ <= limits_.entries) return;
        throw base::fail(base::ErrorCode::Invalid, "the layer has more than {} entries", limits_.entries);
    }
    // The same.
    void add_bytes(std::size_t bytes) {
        bytes_ += bytes;
        if (bytes_ <= limits_.bytes) return;
        throw base::fail(base::ErrorCode::Invalid, "the layer's metadata is larger than {} bytes",
                         limits_.bytes);
    }

  private:
    DeltaLimits limits_;
    std::uint64_t entries_ = 0;
    std::uint64_t bytes_ = 0;
};

// What an object takes besides its names: what the reader of a layer makes of an entry.
constexpr std::size_t kObjectBytes = sizeof(Change) + sizeof(Node);
constexpr std::size_t kContentBytes = sizeof(Content) + sizeof(Stream);
// What a map's element takes besides its key and value.
constexpr std::size_t kMapNodeBytes = 4 * sizeof(void*);

}  // namespace mullion::tree
