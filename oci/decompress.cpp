#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "oci/seek_table.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr std::size_t kInput = 256 * 1024;
constexpr int kGzipWindow = 15 + 16;  // the largest window; 16 asks zlib for gzip headers
constexpr int kRawWindow = -15;       // negative: no headers
constexpr std::size_t kGzipTrailer = 8;
constexpr int kMaxZstdWindowLog = 27;
// While points are collected: not so much at a time that the next boundary where one is due is overrun.
constexpr std::size_t kCollectStep = 256 * 1024;

constexpr std::string_view kGzipMagic = "\x1f\x8b";
constexpr std::string_view kZstdMagic = "\x28\xb5\x2f\xfd";
// RFC 8878 §3.1.2: the first byte of a skippable frame is 0x50 to 0x5f.
constexpr std::string_view kSkippableTail = "\x2a\x4d\x18";

// What was read from the stream and not yet used.
class Input {
  public:
    explicit Input(base::Source& from) : from_(from), buffer_(kInput) {}

    // Fills up to at least `wanted` bytes unless the stream ends before.
    std::string_view peek(std::size_t wanted) {
        while (size_ - at_ < wanted) {
            if (at_ > 0) std::memmove(buffer_.data(), buffer_.data() + at_, size_ - at_);
            size_ -= std::exchange(at_, 0);
            std::size_t got = from_.read(buffer_.data() + size_, buffer_.size() - size_);
            if (got == 0) break;
            size_ += got;
        }
        return {buffer_.data() + at_, size_ - at_};
    }
    void consume(std::size_t size) {
        at_ += size;
        consumed_ += size;
    }
    std::uint64_t consumed() const { return consumed_; }

  private:
    base::Source& from_;
    std::vector<char> buffer_;
    std::size_t at_ = 0;
    std::size_t size_ = 0;
    std::uint64_t consumed_ = 0;
};

// Counts what comes out of a decoder against the limit.
class Decoder : public base::Source {
  public:
    Decoder(Input input, std::uint64_t limit, SeekTableBuilder* points)
        : points_(points), input_(std::move(input)), limit_(limit), left_(limit) {}

    std::size_t read(char* buffer, std::size_t size) final {
        if (size == 0 || ended_) return 0;
        // One byte more than allowed is asked for, so that the bound itself is not an error.
        std::size_t room = left_ < size ? static_cast<std::size_t>(left_) + 1 : size;
        if (points_ != nullptr) room = std::min(room, kCollectStep);
        std::size_t got = decode(buffer, room);
        ended_ = got == 0;
        if (ended_ && points_ != nullptr) points_->finish(compression(), produced(), input_.consumed());
        if (got > left_) {
            throw base::fail(ErrorCode::Invalid, "more than {} bytes after decompression", limit_);
        }
        left_ -= got;
        return got;
    }

  protected:
    // Up to `size` bytes; 0 only at the end of the stream.
    virtual std::size_t decode(char* buffer, std::size_t size) = 0;
    virtual Compression compression() const = 0;

    // What came out before the decode() that runs.
    std::uint64_t produced() const { return limit_ - left_; }
    // A member or frame begins here; nothing came out in this decode().
    void at_start() {
        if (points_ != nullptr) points_->add_start(produced(), input_.consumed());
    }

    SeekTableBuilder* points_;  // may be null
    Input input_;

  private:
    std::uint64_t limit_;
    std::uint64_t left_;
    bool ended_ = false;
};

class PlainDecoder final : public Decoder {
  public:
    using Decoder::Decoder;

  private:
    std::size_t decode(char* buffer, std::size_t size) override {
        std::string_view data = input_.peek(1);
        std::size_t part = std::min(size, data.size());
        std::memcpy(buffer, data.data(), part);
        input_.consume(part);
        return part;
    }
    Compression compression() const override { return Compression::None; }
};

class GzipDecoder final : public Decoder {
  public:
    GzipDecoder(Input input, std::uint64_t limit, SeekTableBuilder* points)
        : Decoder(std::move(input), limit, points) {
        if (inflateInit2(&stream_, kGzipWindow) != Z_OK) throw std::bad_alloc();
    }
    ~GzipDecoder() override { inflateEnd(&stream_); }
    GzipDecoder(const GzipDecoder&) = delete;
    GzipDecoder& operator=(const GzipDecoder&) = delete;

    // Begins within the deflate stream of a member, whose checksum then says nothing.
    void start_within(const SeekPoint& point) {
        std::string window = inflate_window(point);
        inflateReset2(&stream_, kRawWindow);
        inflatePrime(&stream_, point.bits, point.partial >> (8 - point.bits));
        inflateSetDictionary(&stream_, reinterpret_cast<const Bytef*>(window.data()),
                             static_cast<uInt>(window.size()));
        within_ = true;
    }

  private:
    std::size_t decode(char* buffer, std::size_t size) override {
        auto room = static_cast<uInt>(std::min<std::size_t>(size, 1 << 30));
        stream_.next_out = reinterpret_cast<Bytef*>(buffer);
        stream_.avail_out = room;
        while (stream_.avail_out == room) {
            std::string_view data = input_.peek(1);
            if (data.empty() && between_members_) return 0;
            if (data.empty()) throw base::fail(ErrorCode::Corrupt, "gzip: unexpected end of data");
            if (between_members_) start_member();
            step(input_.peek(1));
        }
        return room - stream_.avail_out;
    }
    Compression compression() const override { return Compression::Gzip; }

    void start_member() {
        if (!input_.peek(2).starts_with(kGzipMagic)) {
            throw base::fail(ErrorCode::Corrupt, "gzip: garbage after the end of the data");
        }
        at_start();
    }

    void step(std::string_view data) {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
        stream_.avail_in = static_cast<uInt>(data.size());
        between_members_ = false;
        uInt room = stream_.avail_out;
        bool collect = points_ != nullptr && points_->wants_block(produced());
        int status = inflate(&stream_, collect ? Z_BLOCK : Z_NO_FLUSH);
        std::size_t used = data.size() - stream_.avail_in;
        if (used > 0) last_byte_ = static_cast<std::uint8_t>(data[used - 1]);
        input_.consume(used);
        if (status == Z_STREAM_END) {
            end_member();
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            const char* why = stream_.msg != nullptr ? stream_.msg : "damaged data";
            throw base::fail(ErrorCode::Corrupt, "gzip: {}", why);
        } else if (collect && at_block()) {
            add_block(produced() + room - stream_.avail_out);
        }
    }

    void end_member() {
        if (within_) {
            if (input_.peek(kGzipTrailer).size() < kGzipTrailer) {
                throw base::fail(ErrorCode::Corrupt, "gzip: unexpected end of data");
            }
            input_.consume(kGzipTrailer);
        }
        within_ = false;
        between_members_ = true;
        inflateReset2(&stream_, kGzipWindow);
    }

    // What inflate() says when told to stop at blocks (zlib.h): 128 for between two, 64 for after the last.
    bool at_block() const { return (stream_.data_type & 192) == 128; }

    void add_block(std::uint64_t uncompressed) {
        std::array<char, kSeekWindow> window;
        uInt size = 0;
        inflateGetDictionary(&stream_, reinterpret_cast<Bytef*>(window.data()), &size);
        if (size != window.size()) return;
        points_->add_block(uncompressed, input_.consumed(), static_cast<std::uint8_t>(stream_.data_type & 7),
                           last_byte_, {window.data(), window.size()});
    }

    z_stream stream_{};
    std::uint8_t last_byte_ = 0;  // of what inflate() has taken
    // True only after a complete member: another one, or the end, may follow.
    bool between_members_ = false;
    bool within_ = false;
};

class ZstdDecoder final : public Decoder {
  public:
    ZstdDecoder(Input input, std::uint64_t limit, SeekTableBuilder* points)
        : Decoder(std::move(input), limit, points), context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
        if (!context_) throw std::bad_alloc();
        ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxZstdWindowLog);
    }

  private:
    std::size_t decode(char* buffer, std::size_t size) override {
        ZSTD_outBuffer out{buffer, size, 0};
        while (out.pos == 0) {
            std::string_view data = input_.peek(1);
            if (data.empty() && between_frames_) return 0;
            if (between_frames_) at_start();
            ZSTD_inBuffer in{data.data(), data.size(), 0};
            std::size_t hint = ZSTD_decompressStream(context_.get(), &out, &in);
            if (ZSTD_isError(hint) != 0) {
                throw base::fail(ErrorCode::Corrupt, "zstd: {}", ZSTD_getErrorName(hint));
            }
            input_.consume(in.pos);
            between_frames_ = hint == 0;
            // With no input left, only what the decoder still holds can come out.
            if (data.empty() && out.pos == 0 && !between_frames_) {
                throw base::fail(ErrorCode::Corrupt, "zstd: unexpected end of data");
            }
        }
        return out.pos;
    }
    Compression compression() const override { return Compression::Zstd; }

    std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
    bool between_frames_ = false;
};

std::unique_ptr<base::Source> make_decoder(Input input, Compression compression, std::uint64_t limit,
                                           SeekTableBuilder* points) {
    if (compression == Compression::Gzip) {
        return std::make_unique<GzipDecoder>(std::move(input), limit, points);
    }
    if (compression == Compression::Zstd) {
        return std::make_unique<ZstdDecoder>(std::move(input), limit, points);
    }
    return std::make_unique<PlainDecoder>(std::move(input), limit, points);
}

}  // namespace

Compression detect_compression(std::string_view head) {
    bool skippable = head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xf0) == 0x50 &&
                     head.substr(1, 3) == kSkippableTail;
    if (head.starts_with(kGzipMagic)) return Compression::Gzip;
    return head.starts_with(kZstdMagic) || skippable ? Compression::Zstd : Compression::None;
}

std::unique_ptr<base::Source> decompress(base::Source& from, std::uint64_t limit, SeekTableBuilder* points) {
    Input input(from);
    Compression compression = detect_compression(input.peek(4));
    return make_decoder(std::move(input), compression, limit, points);
}

std::unique_ptr<base::Source> decompress_at(base::Source& from, const SeekTable& table,
                                            const SeekTable::Span& span) {
    const SeekPoint& point = table.points().at(span.point);
    std::uint64_t limit = table.size() - span.start;
    if (point.window.empty()) return make_decoder(Input(from), table.compression(), limit, nullptr);
    auto decoder = std::make_unique<GzipDecoder>(Input(from), limit, nullptr);
    decoder->start_within(point);
    return decoder;
}

}  // namespace mullion::oci
