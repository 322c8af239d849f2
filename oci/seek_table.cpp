#include "oci/seek_table.hpp"

#include <libdeflate.h>

#include <algorithm>
#include <memory>

#include "base/error.hpp"
#include "base/leb128.hpp"
#include "oci/limits.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

// Points that are some bytes each: what must be decompressed for nothing is then a few milliseconds' work.
constexpr std::uint64_t kStartDistance = 1 << 20;
// Points with a window: these add less than one percent to what a layer takes.
constexpr std::uint64_t kBlockDistance = 4 << 20;
// Written only once, while all of the layer is decompressed.
constexpr int kWindowLevel = 3;

constexpr std::uint64_t kMaxWindow = 2 * kSeekWindow;  // deflated; more than the compressor ever makes of it

std::string deflate_window(std::string_view window) {
    std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor(
        libdeflate_alloc_compressor(kWindowLevel), libdeflate_free_compressor);
    if (!compressor) throw std::bad_alloc();
    std::string out(libdeflate_deflate_compress_bound(compressor.get(), window.size()), '\0');
    out.resize(
        libdeflate_deflate_compress(compressor.get(), window.data(), window.size(), out.data(), out.size()));
    return out;
}

// Fields in their order; whatever is out of bounds is Corrupt.
class Fields {
  public:
    explicit Fields(std::string_view bytes) : left_(bytes) {}

    std::string_view take(std::uint64_t size) {
        check(size <= left_.size());
        std::string_view part = left_.substr(0, static_cast<std::size_t>(size));
        left_.remove_prefix(part.size());
        return part;
    }
    std::uint8_t byte() { return static_cast<std::uint8_t>(take(1)[0]); }
    std::uint64_t number(std::uint64_t limit) {
        auto value = base::take_leb128(left_);
        check(value && *value <= limit);
        return *value;
    }
    bool empty() const { return left_.empty(); }

    static void check(bool good) {
        if (!good) throw base::fail(ErrorCode::Corrupt, "a seek table is malformed");
    }

  private:
    std::string_view left_;
};

}  // namespace

SeekTable::Span SeekTable::span(std::uint64_t offset, std::uint64_t size) const {
    if (offset > size_ || size > size_ - offset) {
        throw base::fail(ErrorCode::Corrupt, "a layer has {} bytes, too few for {} at {}", size_, size,
                         offset);
    }
    std::uint64_t end = offset + size;
    if (compression_ == Compression::None) return {offset, end, offset, 0};
    auto next = std::ranges::upper_bound(points_, offset, {}, &SeekPoint::uncompressed);
    auto last = std::ranges::lower_bound(next, points_.end(), end, {}, &SeekPoint::uncompressed);
    const SeekPoint& first = *std::prev(next);
    return {first.compressed, last == points_.end() ? blob_size_ : last->compressed, first.uncompressed,
            static_cast<std::size_t>(std::prev(next) - points_.begin())};
}

std::uint64_t SeekTable::end_of(std::size_t point) const {
    return point + 1 < points_.size() ? points_[point + 1].uncompressed : size_;
}

// Every point has its distances from the one before; the first is known.
std::string SeekTable::serialise() const {
    std::string out(kSeekTableFormat);
    out += static_cast<char>(compression_);
    for (std::uint64_t number : {size_, blob_size_}) base::append_leb128(out, number);
    for (std::size_t i = 1; i < points_.size(); ++i) {
        const SeekPoint& point = points_[i];
        base::append_leb128(out, point.uncompressed - points_[i - 1].uncompressed);
        base::append_leb128(out, point.compressed - points_[i - 1].compressed);
        base::append_leb128(out, point.window.size());
        if (point.window.empty()) continue;
        out += static_cast<char>(point.bits);
        out += static_cast<char>(point.partial);
        out += point.window;
    }
    return out;
}

SeekTable SeekTable::parse(std::string_view bytes) {
    Fields fields(bytes);
    Fields::check(fields.take(std::min(kSeekTableFormat.size(), bytes.size())) == kSeekTableFormat);
    SeekTable table;
    std::uint8_t compression = fields.byte();
    Fields::check(compression <= static_cast<std::uint8_t>(Compression::Zstd));
    table.compression_ = static_cast<Compression>(compression);
    table.size_ = fields.number(kMaxLayerSize);
    table.blob_size_ = fields.number(2 * kMaxLayerSize);
    if (table.compression_ == Compression::None) {
        Fields::check(table.size_ == table.blob_size_ && fields.empty());
    }
    while (!fields.empty()) {
        const SeekPoint& last = table.points_.back();
        SeekPoint point;
        point.uncompressed = last.uncompressed + fields.number(table.size_ - last.uncompressed);
        point.compressed = last.compressed + fields.number(table.blob_size_ - last.compressed);
        Fields::check(point.uncompressed > last.uncompressed && point.compressed > last.compressed);
        if (std::uint64_t window = fields.number(kMaxWindow); window > 0) {
            Fields::check(table.compression_ == Compression::Gzip);
            point.bits = fields.byte();
            point.partial = fields.byte();
            Fields::check(point.bits < 8);
            point.window = fields.take(window);
        }
        table.points_.push_back(std::move(point));
    }
    return table;
}

bool SeekTableBuilder::wants_block(std::uint64_t uncompressed) const {
    return uncompressed - table_.points_.back().uncompressed >= kBlockDistance;
}

void SeekTableBuilder::add_start(std::uint64_t uncompressed, std::uint64_t compressed) {
    if (uncompressed - table_.points_.back().uncompressed < kStartDistance) return;
    table_.points_.push_back({.uncompressed = uncompressed, .compressed = compressed});
}

void SeekTableBuilder::add_block(std::uint64_t uncompressed, std::uint64_t compressed, std::uint8_t bits,
                                 std::uint8_t partial, std::string_view window) {
    table_.points_.push_back({uncompressed, compressed, bits, partial, deflate_window(window)});
}

void SeekTableBuilder::finish(Compression compression, std::uint64_t size, std::uint64_t blob_size) {
    table_.compression_ = compression;
    table_.size_ = size;
    table_.blob_size_ = blob_size;
    finished_ = true;
}

SeekTable SeekTableBuilder::take() {
    if (!finished_) throw base::fail(ErrorCode::Internal, "a seek table was taken before the blob's end");
    return std::move(table_);
}

std::string inflate_window(const SeekPoint& point) {
    std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)> decompressor(
        libdeflate_alloc_decompressor(), libdeflate_free_decompressor);
    if (!decompressor) throw std::bad_alloc();
    std::string window(kSeekWindow, '\0');
    // Without a place for the size, anything but exactly the window is an error.
    Fields::check(libdeflate_deflate_decompress(decompressor.get(), point.window.data(), point.window.size(),
                                                window.data(), window.size(), nullptr) == LIBDEFLATE_SUCCESS);
    return window;
}

}  // namespace mullion::oci
