// Ranged reads of compressed layers: a blob is decompressed in chunks, from one point of its seek table to
// the next, and the chunks that were read last are kept: files that are read together mostly lie together.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "base/stream.hpp"
#include "base/synced.hpp"
#include "oci/seek_table.hpp"

namespace mullion::cache {

// A compressed blob that is read by parts.
struct SeekableBlob {
    base::Digest digest;
    std::shared_ptr<const oci::SeekTable> table;
    // Yields `size` of its bytes from `begin` on.
    std::function<std::unique_ptr<base::Source>(std::uint64_t begin, std::uint64_t size)> open_part;
};

// No chunk of the blob is too large to be kept. Otherwise every file would cost too much (all of the layer,
// if it is one frame of zstd).
bool has_small_chunks(const oci::SeekTable& table);

// Thread-safe; bounded.
class ChunkCache {
  public:
    using Chunk = std::shared_ptr<const std::string>;

    // What decompression yields from a point to the next one. Who asks for a chunk that another thread makes
    // waits for it. Throws Corrupt.
    Chunk get(const SeekableBlob& blob, std::size_t point);
    // Keeps nothing of a blob that gave wrong bytes.
    void forget(const base::Digest& blob);

  private:
    struct Slot {
        std::pair<base::Digest, std::size_t> key;
        std::uint64_t size = 0;
        std::mutex mutex;  // guards chunk
        Chunk chunk;
    };

    std::shared_ptr<Slot> slot_of(const SeekableBlob& blob, std::size_t point);

    base::Synced<std::list<std::shared_ptr<Slot>>> slots_;  // the last used first
};

// A range of a layer, which must lie within its size.
class ChunkSource final : public base::Source {
  public:
    // `cache` is not owned. Bytes that do not digest to `expected` are Corrupt, before the last of them is
    // handed out. `on_corrupt` sees every such error on its way.
    ChunkSource(ChunkCache& cache, SeekableBlob blob, std::uint64_t offset, std::uint64_t size,
                std::optional<base::Digest> expected, std::function<void(base::Error&)> on_corrupt);
    std::size_t read(char* buffer, std::size_t size) override;

  private:
    std::size_t read_chunk(char* buffer, std::size_t size);
    void verify();

    ChunkCache& cache_;
    SeekableBlob blob_;
    std::uint64_t offset_;
    std::uint64_t left_;
    std::optional<base::Digest> expected_;
    std::function<void(base::Error&)> on_corrupt_;
    base::Hasher hasher_;
    ChunkCache::Chunk chunk_;  // where the last byte came from
    std::uint64_t chunk_begin_ = 0;
};

}  // namespace mullion::cache
