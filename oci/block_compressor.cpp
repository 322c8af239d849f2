#include "oci/block_compressor.hpp"

#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <algorithm>
#include <atomic>

#include "base/error.hpp"
#include "base/log.hpp"

namespace mullion::oci {
namespace {

constexpr std::size_t kMaxSlots = 16;

// One arena for all compressors: while a thread waits here for its block it takes over blocks, its own or
// another stream's, and nothing else. In the caller's arena it could pick up an unrelated, long task.
tbb::task_arena& arena() {
    static tbb::task_arena instance;
    return instance;
}

}  // namespace

struct BlockCompressor::Slot {
    std::unique_ptr<BlockCodec> codec;
    std::string input;
    std::string output;
    bool busy = false;
    // Written by whoever hands the buffers over, read by whoever takes them. TBB orders this too, but out of
    // sight of ThreadSanitizer.
    std::atomic<bool> compressed = false;
    tbb::task_group group;
};

BlockCompressor::BlockCompressor(base::Sink& to, Compression compression, std::size_t block_size,
                                 MakeCodec make_codec, SeekTableBuilder* points)
    : to_(to),
      compression_(compression),
      block_size_(block_size),
      make_codec_(std::move(make_codec)),
      points_(points) {
    // Two more than can be compressed at once: one being filled, one waiting to be written.
    auto threads = static_cast<std::size_t>(std::max(1, arena().max_concurrency()));
    slots_.resize(std::min(threads + 2, kMaxSlots));
}

BlockCompressor::~BlockCompressor() {
    for (const auto& slot : slots_) {
        if (!slot || !slot->busy) continue;
        try {
            arena().execute([&] { slot->group.wait(); });
        } catch (const std::exception& error) {
            base::log("oci").warn("abandoned compression: {}", error.what());
        }
    }
}

BlockCompressor::Slot& BlockCompressor::current() {
    std::unique_ptr<Slot>& slot = slots_[next_];
    if (!slot) {
        slot = std::make_unique<Slot>();
        slot->codec = make_codec_();
        slot->input.reserve(block_size_);
    }
    if (slot->busy) drain(*slot);
    return *slot;
}

void BlockCompressor::start(Slot& slot) {
    slot.busy = true;
    started_any_ = true;
    next_ = (next_ + 1) % slots_.size();
    slot.compressed.store(false, std::memory_order_release);
    arena().execute([&slot] {
        slot.group.run([&slot] {
            if (slot.compressed.load(std::memory_order_acquire)) return;
            slot.codec->compress(slot.input, slot.output);
            slot.compressed.store(true, std::memory_order_release);
        });
    });
}

void BlockCompressor::drain(Slot& slot) {
    slot.busy = false;
    arena().execute([&slot] { slot.group.wait(); });
    if (!slot.compressed.load(std::memory_order_acquire)) {
        throw base::fail(base::ErrorCode::Internal, "a block was not compressed");
    }
    if (points_ != nullptr) points_->add_start(taken_, written_);
    to_.write(slot.output);
    taken_ += slot.input.size();
    written_ += slot.output.size();
    slot.input.clear();
}

void BlockCompressor::write(std::string_view data) {
    while (!data.empty()) {
        Slot& slot = current();
        std::size_t part = std::min(data.size(), block_size_ - slot.input.size());
        slot.input.append(data.substr(0, part));
        data.remove_prefix(part);
        if (slot.input.size() == block_size_) start(slot);
    }
}

void BlockCompressor::finish() {
    Slot& last = current();
    if (!last.input.empty() || !started_any_) start(last);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        Slot* slot = slots_[(next_ + i) % slots_.size()].get();
        if (slot != nullptr && slot->busy) drain(*slot);
    }
    if (points_ != nullptr) points_->finish(compression_, taken_, written_);
    to_.finish();
}

}  // namespace mullion::oci
