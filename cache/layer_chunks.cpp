#include "cache/layer_chunks.hpp"

#include <algorithm>
#include <cstring>

namespace mullion::cache {
namespace {

// Several layers may be read at once, each by several threads.
constexpr std::uint64_t kMaxKept = 32 << 20;
constexpr std::uint64_t kMaxChunk = 16 << 20;

std::string decompress_chunk(const SeekableBlob& blob, std::size_t point) {
    std::uint64_t begin = blob.table->points()[point].uncompressed;
    std::string chunk(static_cast<std::size_t>(blob.table->end_of(point) - begin), '\0');
    oci::SeekTable::Span span = blob.table->span(begin, chunk.size());
    auto raw = blob.open_part(span.begin, span.end - span.begin);
    oci::decompress_at(*raw, *blob.table, span)->read_exactly(chunk.data(), chunk.size(), "the layer");
    return chunk;
}

}  // namespace

bool has_small_chunks(const oci::SeekTable& table) {
    for (std::size_t i = 0; i < table.points().size(); ++i) {
        if (table.end_of(i) - table.points()[i].uncompressed > kMaxChunk) return false;
    }
    return true;
}

ChunkCache::Chunk ChunkCache::get(const SeekableBlob& blob, std::size_t point) {
    std::shared_ptr<Slot> slot = slot_of(blob, point);
    std::lock_guard lock(slot->mutex);
    if (!slot->chunk) slot->chunk = std::make_shared<const std::string>(decompress_chunk(blob, point));
    return slot->chunk;
}

void ChunkCache::forget(const base::Digest& blob) {
    slots_.with([&](auto& slots) {
        std::erase_if(slots, [&](const auto& slot) { return slot->key.first == blob; });
    });
}

std::shared_ptr<ChunkCache::Slot> ChunkCache::slot_of(const SeekableBlob& blob, std::size_t point) {
    return slots_.with([&](auto& slots) {
        std::pair key{blob.digest, point};
        auto known = std::ranges::find_if(slots, [&](const auto& slot) { return slot->key == key; });
        if (known != slots.end()) {
            slots.splice(slots.begin(), slots, known);
            return slots.front();
        }
        std::uint64_t size = blob.table->end_of(point) - blob.table->points()[point].uncompressed;
        slots.push_front(std::shared_ptr<Slot>(new Slot{.key = key, .size = size}));
        std::uint64_t kept = 0;
        auto last =
            std::ranges::find_if(slots, [&](const auto& slot) { return (kept += slot->size) > kMaxKept; });
        slots.erase(last, slots.end());
        return slots.front();
    });
}

ChunkSource::ChunkSource(ChunkCache& cache, SeekableBlob blob, std::uint64_t offset, std::uint64_t size,
                         std::optional<base::Digest> expected, std::function<void(base::Error&)> on_corrupt)
    : cache_(cache),
      blob_(std::move(blob)),
      offset_(offset),
      left_(size),
      expected_(expected),
      on_corrupt_(std::move(on_corrupt)) {}

std::size_t ChunkSource::read(char* buffer, std::size_t size) {
    try {
        return read_chunk(buffer, static_cast<std::size_t>(std::min<std::uint64_t>(size, left_)));
    } catch (base::Error& error) {
        if (error.code() == base::ErrorCode::Corrupt) on_corrupt_(error);
        throw;
    }
}

std::size_t ChunkSource::read_chunk(char* buffer, std::size_t size) {
    if (size == 0) return 0;
    if (!chunk_ || offset_ == chunk_begin_ + chunk_->size()) {
        oci::SeekTable::Span span = blob_.table->span(offset_, 1);
        chunk_ = cache_.get(blob_, span.point);
        chunk_begin_ = span.start;
    }
    auto at = static_cast<std::size_t>(offset_ - chunk_begin_);
    size = std::min(size, chunk_->size() - at);
    std::memcpy(buffer, chunk_->data() + at, size);
    offset_ += size;
    left_ -= size;
    if (expected_) hasher_.update({buffer, size});
    if (expected_ && left_ == 0) verify();
    return size;
}

void ChunkSource::verify() {
    base::Digest digest = hasher_.finish();
    if (digest == *expected_) return;
    throw base::fail(base::ErrorCode::Corrupt, "blob {}: the bytes of a file digest to {}, not to {}",
                     blob_.digest.string(), digest.string(), expected_->string());
}

}  // namespace mullion::cache
