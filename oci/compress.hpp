// Layer compression. Writing gzip: independent members of 1 MiB input each (RFC 1952 §2.2 allows
// concatenation), compressed in parallel; the bytes do not depend on the thread count nor on how the input
// was cut into writes. Zstandard is written likewise, as frames of 4 MiB input (RFC 8878 §3). Reading: gzip
// (any number of members), zstd, none, detected from the first bytes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/stream.hpp"

namespace mullion::oci {

enum class Compression { None, Gzip, Zstd };

class SeekTableBuilder;  // oci/seek_table.hpp

// The compression a layer's media type names, foreign layers included; throws Unsupported for any other type.
Compression compression_of(std::string_view media_type);
// The OCI layer media type for a compression.
std::string_view layer_media_type(Compression compression);

// What the first bytes of a stream say; four are enough.
Compression detect_compression(std::string_view head);

// Compresses what is written into `to` (not owned). finish() must be called, and finishes `to` as well;
// destroyed before that, it waits for its workers and writes nothing more. `level`: gzip 1-12 (default 6),
// zstd 1-19 (default 3); otherwise Invalid. Input is bounded: at most 16 blocks (of 1 or 4 MiB) are in
// flight. To be used by one thread at a time. With finish(), `points` (not owned) has the blob's seek table.
std::unique_ptr<base::Sink> compress_to(base::Sink& to, Compression compression,
                                        std::optional<int> level = {}, SeekTableBuilder* points = nullptr);

// Decompresses `from` (not owned). Throws Corrupt on damaged or truncated input; trailing garbage is Corrupt.
// At most `limit` bytes come out (Invalid beyond): the bound against bombs. Memory: a zstd window of at most
// 128 MiB. Read to its end, it has put the blob's seek table into `points` (not owned).
std::unique_ptr<base::Source> decompress(base::Source& from, std::uint64_t limit,
                                         SeekTableBuilder* points = nullptr);

}  // namespace mullion::oci
