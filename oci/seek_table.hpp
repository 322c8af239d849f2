// Where in a compressed layer blob decompression can begin, so that a single file of the layer can be had by
// reading a part of the blob: at any member of gzip (RFC 1952 §2.2) and frame of zstd (RFC 8878 §3), and at
// the blocks within a deflate stream (RFC 1951 §3.2.3) if the bytes before them that they may refer to are
// kept. Within a frame of zstd it cannot begin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "oci/compress.hpp"

namespace mullion::oci {

inline constexpr std::string_view kSeekTableFormat = "mullion seek table 1\n";

struct SeekPoint {
    std::uint64_t uncompressed = 0;
    std::uint64_t compressed = 0;  // the first byte that is read from here on
    // Within a deflate stream: how many bits of the byte before `compressed` belong to the block that begins
    // here, that byte, and the 32 KiB of output before this point, deflated. Elsewhere: no window.
    std::uint8_t bits = 0;
    std::uint8_t partial = 0;
    std::string window;

    bool operator==(const SeekPoint&) const = default;
};

// A value. What was parsed is in order and within its own bounds, yet may say wrong things of a blob: then
// decompression fails or gives other bytes, so whoever knows the digest of what he reads compares it.
class SeekTable {
  public:
    // A part of the blob that yields some part of the layer.
    struct Span {
        std::uint64_t begin = 0;  // of the compressed bytes
        std::uint64_t end = 0;
        std::uint64_t start = 0;  // the uncompressed offset at which what they yield begins
        std::size_t point = 0;    // the index of the point that decompression begins at
        bool operator==(const Span&) const = default;
    };

    // What must be read to have `size` bytes at `offset` of the layer. Throws Corrupt if the layer ends
    // before.
    Span span(std::uint64_t offset, std::uint64_t size) const;

    Compression compression() const { return compression_; }
    std::uint64_t size() const { return size_; }            // of the layer
    std::uint64_t blob_size() const { return blob_size_; }  // compressed
    // By ascending offsets; the first is the start of the blob. An uncompressed blob has no other: any offset
    // will do there.
    const std::vector<SeekPoint>& points() const { return points_; }
    // The uncompressed offset where the part that begins at a point ends.
    std::uint64_t end_of(std::size_t point) const;

    // Begins with kSeekTableFormat.
    std::string serialise() const;
    // Throws Corrupt for anything that serialise() does not write.
    static SeekTable parse(std::string_view bytes);

    bool operator==(const SeekTable&) const = default;

  private:
    friend class SeekTableBuilder;

    Compression compression_ = Compression::None;
    std::uint64_t size_ = 0;
    std::uint64_t blob_size_ = 0;
    std::vector<SeekPoint> points_{SeekPoint{}};
};

// Collects the points of a blob while it is compressed or decompressed.
class SeekTableBuilder {
  public:
    // Is it time for the start of a block, at this uncompressed offset or soon after it?
    bool wants_block(std::uint64_t uncompressed) const;
    // The start of a member or frame; passed over if it is near the point before.
    void add_start(std::uint64_t uncompressed, std::uint64_t compressed);
    // The start of a deflate block; `window`: kSeekWindow bytes.
    void add_block(std::uint64_t uncompressed, std::uint64_t compressed, std::uint8_t bits,
                   std::uint8_t partial, std::string_view window);
    // At the end of the blob.
    void finish(Compression compression, std::uint64_t size, std::uint64_t blob_size);

    // Once, after finish(); throws Internal before it.
    SeekTable take();

  private:
    SeekTable table_;
    bool finished_ = false;
};

// How far deflate refers back (RFC 1951 §2).
inline constexpr std::size_t kSeekWindow = 32 * 1024;

// The window of a point as it was; throws Corrupt if it does not inflate to kSeekWindow bytes.
std::string inflate_window(const SeekPoint& point);

// The layer from span.start on. `from` (not owned) yields the blob's bytes from span.begin on, at least up to
// span.end; asked for more of the layer than they hold, it throws Corrupt, as for damaged ones.
std::unique_ptr<base::Source> decompress_at(base::Source& from, const SeekTable& table,
                                            const SeekTable::Span& span);

}  // namespace mullion::oci
