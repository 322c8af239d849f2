#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "oci/compress.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr std::size_t kInput = 256 * 1024;
constexpr int kGzipWindow = 15 + 16;  // the largest window; 16 asks zlib for gzip headers
constexpr int kMaxZstdWindowLog = 27;

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
    void consume(std::size_t size) { at_ += size; }

  private:
    base::Source& from_;
    std::vector<char> buffer_;
    std::size_t at_ = 0;
    std::size_t size_ = 0;
};

// Counts what comes out of a decoder against the limit.
class Decoder : public base::Source {
  public:
    Decoder(Input input, std::uint64_t limit) : input_(std::move(input)), limit_(limit), left_(limit) {}

    std::size_t read(char* buffer, std::size_t size) final {
        if (size == 0 || ended_) return 0;
        // One byte more than allowed is asked for, so that the bound itself is not an error.
        std::size_t room = left_ < size ? static_cast<std::size_t>(left_) + 1 : size;
        std::size_t got = decode(buffer, room);
        ended_ = got == 0;
        if (got > left_) {
            throw base::fail(ErrorCode::Invalid, "more than {} bytes after decompression", limit_);
        }
        left_ -= got;
        return got;
    }

  protected:
    // Up to `size` bytes; 0 only at the end of the stream.
    virtual std::size_t decode(char* buffer, std::size_t size) = 0;
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
};

class GzipDecoder final : public Decoder {
  public:
    GzipDecoder(Input input, std::uint64_t limit) : Decoder(std::move(input), limit) {
        if (inflateInit2(&stream_, kGzipWindow) != Z_OK) throw std::bad_alloc();
    }
    ~GzipDecoder() override { inflateEnd(&stream_); }
    GzipDecoder(const GzipDecoder&) = delete;
    GzipDecoder& operator=(const GzipDecoder&) = delete;

  private:
    std::size_t decode(char* buffer, std::size_t size) override {
        auto room = static_cast<uInt>(std::min<std::size_t>(size, 1 << 30));
        stream_.next_out = reinterpret_cast<Bytef*>(buffer);
        stream_.avail_out = room;
        while (stream_.avail_out == room) {
            std::string_view data = input_.peek(1);
            if (data.empty() && between_members_) return 0;
            if (data.empty()) throw base::fail(ErrorCode::Corrupt, "gzip: unexpected end of data");
            if (between_members_ && !input_.peek(2).starts_with(kGzipMagic)) {
                throw base::fail(ErrorCode::Corrupt, "gzip: garbage after the end of the data");
            }
            step(input_.peek(1));
        }
        return room - stream_.avail_out;
    }

    void step(std::string_view data) {
        stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
        stream_.avail_in = static_cast<uInt>(data.size());
        between_members_ = false;
        int status = inflate(&stream_, Z_NO_FLUSH);
        input_.consume(data.size() - stream_.avail_in);
        if (status == Z_STREAM_END) {
            between_members_ = true;
            inflateReset(&stream_);
        } else if (status != Z_OK && status != Z_BUF_ERROR) {
            const char* why = stream_.msg != nullptr ? stream_.msg : "damaged data";
            throw base::fail(ErrorCode::Corrupt, "gzip: {}", why);
        }
    }

    z_stream stream_{};
    // True only after a complete member: another one, or the end, may follow.
    bool between_members_ = false;
};

class ZstdDecoder final : public Decoder {
  public:
    ZstdDecoder(Input input, std::uint64_t limit)
        : Decoder(std::move(input), limit), context_(ZSTD_createDCtx(), ZSTD_freeDCtx) {
        if (!context_) throw std::bad_alloc();
        ZSTD_DCtx_setParameter(context_.get(), ZSTD_d_windowLogMax, kMaxZstdWindowLog);
    }

  private:
    std::size_t decode(char* buffer, std::size_t size) override {
        ZSTD_outBuffer out{buffer, size, 0};
        while (out.pos == 0) {
            std::string_view data = input_.peek(1);
            if (data.empty() && between_frames_) return 0;
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

    std::unique_ptr<ZSTD_DCtx, decltype(&ZSTD_freeDCtx)> context_;
    bool between_frames_ = false;
};

}  // namespace

Compression detect_compression(std::string_view head) {
    bool skippable = head.size() >= 4 && (static_cast<unsigned char>(head[0]) & 0xf0) == 0x50 &&
                     head.substr(1, 3) == kSkippableTail;
    if (head.starts_with(kGzipMagic)) return Compression::Gzip;
    return head.starts_with(kZstdMagic) || skippable ? Compression::Zstd : Compression::None;
}

std::unique_ptr<base::Source> decompress(base::Source& from, std::uint64_t limit) {
    Input input(from);
    Compression compression = detect_compression(input.peek(4));
    if (compression == Compression::Gzip) return std::make_unique<GzipDecoder>(std::move(input), limit);
    if (compression == Compression::Zstd) return std::make_unique<ZstdDecoder>(std::move(input), limit);
    return std::make_unique<PlainDecoder>(std::move(input), limit);
}

}  // namespace mullion::oci
