// Compresses a stream in blocks of a fixed size that do not depend on one another, on all cores, and writes
// them in order.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/stream.hpp"
#include "oci/seek_table.hpp"

namespace mullion::oci {

// Compresses one block; each has its own state and is used by one thread at a time.
class BlockCodec {
  public:
    virtual ~BlockCodec() = default;
    // Replaces `out` by a complete gzip member or zstd frame holding `in`.
    virtual void compress(std::string_view in, std::string& out) = 0;
};

class BlockCompressor final : public base::Sink {
  public:
    using MakeCodec = std::function<std::unique_ptr<BlockCodec>()>;

    // `to` and `points` (the starts of the blocks, if wanted) are not owned. An empty stream gives one block
    // of nothing.
    BlockCompressor(base::Sink& to, Compression compression, std::size_t block_size, MakeCodec make_codec,
                    SeekTableBuilder* points);
    ~BlockCompressor() override;
    BlockCompressor(const BlockCompressor&) = delete;
    BlockCompressor& operator=(const BlockCompressor&) = delete;

    void write(std::string_view data) override;
    void finish() override;

  private:
    struct Slot;

    Slot& current();  // a slot that can take input
    void start(Slot& slot);
    void drain(Slot& slot);  // waits for its block and writes it

    base::Sink& to_;
    Compression compression_;  // what the codecs write
    std::size_t block_size_;
    MakeCodec make_codec_;
    SeekTableBuilder* points_;
    std::uint64_t taken_ = 0;    // bytes of the blocks that are written
    std::uint64_t written_ = 0;  // what became of them
    // A ring: blocks go round, so the slot after the newest block holds the oldest.
    std::vector<std::unique_ptr<Slot>> slots_;
    std::size_t next_ = 0;
    bool started_any_ = false;
};

}  // namespace mullion::oci
