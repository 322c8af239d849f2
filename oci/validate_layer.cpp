#include "oci/validate_layer.hpp"

#include "oci/compress.hpp"
#include "oci/limits.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr std::size_t kChunk = 256 * 1024;

// Digests what passes, checks for cancellation, and remembers whether the stream below failed: then the layer
// is to blame, not its reader.
class WatchedSource final : public base::Source {
  public:
    WatchedSource(base::Source& from, const base::CancelToken& cancel) : from_(from), cancel_(cancel) {}

    std::size_t read(char* buffer, std::size_t size) override {
        cancel_.check();
        if (failure_) throw *failure_;
        try {
            std::size_t got = from_.read(buffer, size);
            hasher_.update({buffer, got});
            size_ += got;
            return got;
        } catch (const base::Error& error) {
            failure_ = error;
            throw;
        }
    }

    void drain() {
        std::vector<char> buffer(kChunk);
        while (read(buffer.data(), buffer.size()) > 0) {
        }
    }

    const std::optional<base::Error>& failure() const { return failure_; }
    std::uint64_t size() const { return size_; }
    base::Digest digest() { return hasher_.finish(); }

  private:
    base::Source& from_;
    const base::CancelToken& cancel_;
    base::Hasher hasher_;
    std::uint64_t size_ = 0;
    std::optional<base::Error> failure_;
};

// Keeps the first bytes, by which the compression is known.
class HeadSource final : public base::Source {
  public:
    explicit HeadSource(base::Source& from) : from_(from) {}
    std::size_t read(char* buffer, std::size_t size) override {
        std::size_t got = from_.read(buffer, size);
        if (head_.size() < 4) head_.append(buffer, std::min<std::size_t>(got, 4 - head_.size()));
        return got;
    }
    const std::string& head() const { return head_; }

  private:
    base::Source& from_;
    std::string head_;
};

std::string_view name_of(Compression compression) {
    return compression == Compression::None   ? "not compressed"
           : compression == Compression::Gzip ? "gzip"
                                              : "zstd";
}

class LayerValidator {
  public:
    LayerValidator(const Descriptor& layer, const LayerContext& context, const LayerCheck& on_layer,
                   const base::CancelToken& cancel)
        : layer_(layer), context_(context), on_layer_(on_layer), cancel_(cancel) {}

    LayerResult run(base::Source& raw) {
        WatchedSource blob(raw, cancel_);
        HeadSource head(blob);
        try {
            read_contents(head);
        } catch (const base::Error& error) {
            if (!is_content_error(error)) throw;
            add("layer-corrupt", error.what());
        }
        check_compression(head.head());
        check_blob(blob);
        return std::move(result_);
    }

  private:
    void add(std::string rule, std::string text) {
        result_.findings.push_back({context_.where, std::move(rule), std::move(text)});
    }

    void read_contents(base::Source& blob) {
        std::unique_ptr<base::Source> plain = decompress(blob, kMaxLayerSize);
        WatchedSource contents(*plain, cancel_);
        if (on_layer_) check_format(contents);
        contents.drain();
        result_.diff_id = base::DiffId{contents.digest()};
    }

    void check_format(WatchedSource& contents) {
        try {
            for (Finding& finding : on_layer_(context_, contents))
                result_.findings.push_back(std::move(finding));
        } catch (const base::Error& error) {
            if (contents.failure() || !is_content_error(error)) throw;
            add("layer-format", error.what());
        }
    }

    void check_compression(std::string_view head) {
        if (!media_type::is_layer(layer_.media_type)) {
            add("media-type", fmt::format("\"{}\" is not a layer media type we know", layer_.media_type));
            return;
        }
        Compression named = compression_of(layer_.media_type);
        Compression found = detect_compression(head);
        if (named == found) return;
        add("layer-compression",
            fmt::format("the media type says {}, the content is {}", name_of(named), name_of(found)));
    }

    // After damage the rest is still read, to tell a bad copy from a bad layer.
    void check_blob(WatchedSource& blob) {
        if (!blob.failure()) blob.drain();
        if (blob.size() != layer_.size) {
            add("size-mismatch",
                fmt::format("{} bytes, but the descriptor says {}", blob.size(), layer_.size));
            return;
        }
        if (base::Digest digest = blob.digest(); digest != layer_.digest) {
            add("digest-mismatch", fmt::format("the content has digest {}, the descriptor says {}",
                                               digest.string(), layer_.digest.string()));
        }
    }

    const Descriptor& layer_;
    const LayerContext& context_;
    const LayerCheck& on_layer_;
    const base::CancelToken& cancel_;
    LayerResult result_;
};

}  // namespace

bool is_content_error(const base::Error& error) {
    switch (error.code()) {
        case ErrorCode::NotFound:
        case ErrorCode::Exists:
        case ErrorCode::Invalid:
        case ErrorCode::Unsupported:
        case ErrorCode::Corrupt:
            return true;
        default:
            return false;
    }
}

LayerResult validate_layer(BlobSource& source, const Descriptor& layer, const LayerContext& context,
                           const LayerCheck& on_layer, const base::CancelToken& cancel) {
    std::unique_ptr<base::Source> raw;
    try {
        raw = source.open(layer, cancel);
    } catch (const base::Error& error) {
        if (!is_content_error(error)) throw;
        if (media_type::is_foreign_layer(layer.media_type) && !layer.urls.empty()) return {};
        return {{{context.where, "blob-missing", error.what()}}, {}};
    }
    return LayerValidator(layer, context, on_layer, cancel).run(*raw);
}

}  // namespace mullion::oci
