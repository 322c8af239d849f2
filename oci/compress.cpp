#include "oci/compress.hpp"

#include <libdeflate.h>
#include <zstd.h>

#include "base/error.hpp"
#include "oci/block_compressor.hpp"
#include "oci/manifest.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr std::size_t kGzipBlock = 1 << 20;
constexpr std::size_t kZstdBlock = 4 << 20;
constexpr int kGzipLevel = 6;
constexpr int kGzipMaxLevel = 12;
constexpr int kZstdLevel = 3;
constexpr int kZstdMaxLevel = 19;

// libdeflate writes the header we want: no name, mtime 0, operating system 255 (unknown).
class GzipCodec final : public BlockCodec {
  public:
    explicit GzipCodec(int level)
        : compressor_(libdeflate_alloc_compressor(level), libdeflate_free_compressor) {
        if (!compressor_) throw std::bad_alloc();
    }

    void compress(std::string_view in, std::string& out) override {
        out.resize(libdeflate_gzip_compress_bound(compressor_.get(), in.size()));
        std::size_t size =
            libdeflate_gzip_compress(compressor_.get(), in.data(), in.size(), out.data(), out.size());
        if (size == 0) throw base::fail(ErrorCode::Internal, "gzip: the output bound is too small");
        out.resize(size);
    }

  private:
    std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)> compressor_;
};

class ZstdCodec final : public BlockCodec {
  public:
    explicit ZstdCodec(int level) : context_(ZSTD_createCCtx(), ZSTD_freeCCtx) {
        if (!context_) throw std::bad_alloc();
        check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, level));
        check(ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1));
    }

    void compress(std::string_view in, std::string& out) override {
        out.resize(ZSTD_compressBound(in.size()));
        out.resize(check(ZSTD_compress2(context_.get(), out.data(), out.size(), in.data(), in.size())));
    }

  private:
    static std::size_t check(std::size_t result) {
        if (ZSTD_isError(result) == 0) return result;
        throw base::fail(ErrorCode::Internal, "zstd: {}", ZSTD_getErrorName(result));
    }

    std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context_;
};

class PlainSink final : public base::Sink {
  public:
    PlainSink(base::Sink& to, SeekTableBuilder* points) : to_(to), points_(points) {}
    void write(std::string_view data) override {
        to_.write(data);
        written_ += data.size();
    }
    void finish() override {
        if (points_ != nullptr) points_->finish(Compression::None, written_, written_);
        to_.finish();
    }

  private:
    base::Sink& to_;
    SeekTableBuilder* points_;
    std::uint64_t written_ = 0;
};

int checked_level(std::optional<int> level, int otherwise, int max, std::string_view name) {
    int value = level.value_or(otherwise);
    if (value >= 1 && value <= max) return value;
    throw base::fail(ErrorCode::Invalid, "{} compression level {}: expected 1 to {}", name, value, max);
}

}  // namespace

Compression compression_of(std::string_view media_type) {
    // Encrypted layers and the like have further suffixes and fall through.
    if (!media_type::is_layer(media_type)) {
        throw base::fail(ErrorCode::Unsupported, "\"{}\" is not a layer media type we know",
                         media_type.substr(0, 255));
    }
    if (media_type.ends_with("gzip")) return Compression::Gzip;
    if (media_type.ends_with("+zstd")) return Compression::Zstd;
    if (media_type.ends_with("tar")) return Compression::None;
    throw base::fail(ErrorCode::Unsupported, "\"{}\": unknown compression", media_type.substr(0, 255));
}

std::string_view layer_media_type(Compression compression) {
    switch (compression) {
        case Compression::None:
            return media_type::kLayer;
        case Compression::Gzip:
            return media_type::kLayerGzip;
        case Compression::Zstd:
            return media_type::kLayerZstd;
    }
    throw base::fail(ErrorCode::Internal, "no such compression");
}

std::unique_ptr<base::Sink> compress_to(base::Sink& to, Compression compression, std::optional<int> level,
                                        SeekTableBuilder* points) {
    if (compression == Compression::None) {
        if (level) throw base::fail(ErrorCode::Invalid, "a level needs a compression");
        return std::make_unique<PlainSink>(to, points);
    }
    if (compression == Compression::Gzip) {
        int value = checked_level(level, kGzipLevel, kGzipMaxLevel, "gzip");
        auto make_codec = [value] { return std::make_unique<GzipCodec>(value); };
        return std::make_unique<BlockCompressor>(to, compression, kGzipBlock, make_codec, points);
    }
    int value = checked_level(level, kZstdLevel, kZstdMaxLevel, "zstd");
    auto make_codec = [value] { return std::make_unique<ZstdCodec>(value); };
    return std::make_unique<BlockCompressor>(to, compression, kZstdBlock, make_codec, points);
}

}  // namespace mullion::oci
