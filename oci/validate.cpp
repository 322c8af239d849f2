#include "oci/validate.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "oci/validate_layer.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxImages = 1000;

class Validator {
  public:
    Validator(BlobSource& source, const LayerCheck& on_layer, const base::CancelToken& cancel)
        : source_(source), on_layer_(on_layer), cancel_(cancel) {}

    std::vector<Finding> run(const Descriptor& root) {
        check_root(root, 0);
        return std::move(findings_);
    }

  private:
    void add(const std::string& where, std::string rule, std::string text) {
        findings_.push_back({where, std::move(rule), std::move(text)});
    }

    // The depth is bounded by kMaxDepth, the number of documents by kMaxImages.
    void check_root(const Descriptor& descriptor, int depth) {
        std::string digest = descriptor.digest.string();
        bool is_index = media_type::is_index(descriptor.media_type);
        if (!is_index && !media_type::is_manifest(descriptor.media_type)) {
            add(digest, "media-type",
                fmt::format("\"{}\" is neither an image manifest nor an index", descriptor.media_type));
            return;
        }
        // A manifest that two entries share is checked once; its platform for each of them.
        if (!seen_.insert(descriptor.digest).second) return;
        if (seen_.size() > kMaxImages) {
            if (seen_.size() == kMaxImages + 1) {
                add(digest, "image-count", fmt::format("more than {} manifests and indexes", kMaxImages));
            }
            return;
        }
        std::string where = (is_index ? "index " : "manifest ") + digest;
        std::optional<std::string> bytes = read(descriptor, Manifest::kMaxSize, where);
        if (!bytes) return;
        is_index ? check_index(*bytes, descriptor, where, depth) : check_manifest(*bytes, descriptor, where);
    }

    void check_index(const std::string& bytes, const Descriptor& descriptor, const std::string& where,
                     int depth) {
        std::optional<Index> index = parse<Index>(bytes, where);
        if (!index) return;
        check_media_type(index->media_type, descriptor, where);
        if (index->manifests.empty()) add(where, "index-empty", "the index has no entries");
        if (depth == kMaxDepth) {
            add(where, "index-depth", fmt::format("indexes are nested deeper than {}", kMaxDepth));
            return;
        }
        for (const Descriptor& entry : index->manifests) {
            is_attestation(entry) ? check_attestation(entry) : check_root(entry, depth + 1);
        }
    }

    void check_manifest(const std::string& bytes, const Descriptor& descriptor, const std::string& where) {
        std::optional<Manifest> manifest = parse<Manifest>(bytes, where);
        if (!manifest) return;
        check_media_type(manifest->media_type, descriptor, where);
        std::string config_where = "config " + manifest->config.digest.string();
        if (manifest->config.media_type != media_type::kConfig &&
            manifest->config.media_type != media_type::kDockerConfig) {
            add(config_where, "media-type",
                fmt::format("\"{}\" is not an image config", manifest->config.media_type));
        }
        std::optional<ImageConfig> config;
        if (auto text = read(manifest->config, ImageConfig::kMaxSize, config_where)) {
            config = parse<ImageConfig>(*text, config_where);
        }
        if (config) check_config(*config, *manifest, descriptor, config_where);
        check_layers(*manifest, config, where);
    }

    // Only its own blobs: what is inside is not an image.
    void check_attestation(const Descriptor& entry) {
        std::string where = "attestation " + entry.digest.string();
        if (!seen_.insert(entry.digest).second || seen_.size() > kMaxImages) return;
        std::optional<std::string> bytes = read(entry, Manifest::kMaxSize, where);
        std::optional<Manifest> manifest = bytes ? parse<Manifest>(*bytes, where) : std::nullopt;
        if (!manifest) return;
        read(manifest->config, ImageConfig::kMaxSize, where);
        for (const Descriptor& blob : manifest->layers) drain(blob, where);
    }

    void check_media_type(const std::string& own, const Descriptor& descriptor, const std::string& where) {
        if (own == descriptor.media_type) return;
        add(where, "media-type",
            fmt::format("the document says \"{}\", its descriptor \"{}\"", own, descriptor.media_type));
    }

    void check_config(const ImageConfig& config, const Manifest& manifest, const Descriptor& entry,
                      const std::string& where) {
        const Platform& platform = config.platform;
        if (platform.os.empty() || platform.architecture.empty()) {
            add(where, "platform-missing", "the config must name os and architecture");
        }
        if (entry.platform && !agrees(*entry.platform, platform)) {
            add(where, "platform-mismatch",
                fmt::format("the config is for {}, the index entry for {}", platform.string(),
                            entry.platform->string()));
        }
        bool four_parts = std::count(platform.os_version.begin(), platform.os_version.end(), '.') == 3;
        if (platform.is_windows() && (!four_parts || !OsVersion::parse(platform.os_version))) {
            add(where, "os-version",
                fmt::format(
                    "os.version is \"{}\"; a Windows image needs four numbers, such as 10.0.20348.2700",
                    platform.os_version));
        }
        for (const std::string& entry_text : config.config.env) {
            std::size_t equals = entry_text.find('=');
            if (equals != std::string::npos && equals > 0) continue;
            add(where, "env", fmt::format("\"{}\" is not NAME=value", entry_text));
        }
        check_counts(config, manifest, where);
    }

    static bool agrees(const Platform& entry, const Platform& config) {
        Platform left = entry.normalized();
        Platform right = config.normalized();
        bool version = left.os_version.empty() || left.os_version == right.os_version;
        return version && left.os == right.os && left.architecture == right.architecture &&
               left.variant == right.variant;
    }

    void check_counts(const ImageConfig& config, const Manifest& manifest, const std::string& where) {
        if (config.diff_ids.size() != manifest.layers.size()) {
            add(where, "layer-count",
                fmt::format("{} diff IDs for {} layers", config.diff_ids.size(), manifest.layers.size()));
        }
        auto with_layer = static_cast<std::size_t>(
            std::count_if(config.history.begin(), config.history.end(),
                          [](const HistoryEntry& entry) { return !entry.empty_layer; }));
        if (!config.history.empty() && with_layer != manifest.layers.size()) {
            add(where, "history-count",
                fmt::format("the history has {} entries with a layer, the manifest {} layers", with_layer,
                            manifest.layers.size()));
        }
    }

    void check_layers(const Manifest& manifest, const std::optional<ImageConfig>& config,
                      const std::string& of) {
        for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
            LayerContext context{i, fmt::format("layer {} of {}", i, of), config ? &*config : nullptr};
            const Descriptor& layer = manifest.layers[i];
            // A base layer has rules of its own, so the height matters; nothing else does.
            std::pair<base::Digest, bool> key{layer.digest, i == 0};
            auto known = layers_.find(key);
            if (known == layers_.end()) {
                LayerResult result = validate_layer(source_, layer, context, on_layer_, cancel_);
                for (Finding& finding : result.findings) findings_.push_back(std::move(finding));
                known = layers_.emplace(key, result.diff_id).first;
            }
            if (!known->second || !config || i >= config->diff_ids.size()) continue;
            if (*known->second == config->diff_ids[i]) continue;
            add(context.where, "diff-id-mismatch",
                fmt::format("uncompressed it has digest {}, the config says {}",
                            known->second->digest.string(), config->diff_ids[i].digest.string()));
        }
    }

    // A whole document; a finding and nullopt if it is not as its descriptor says.
    std::optional<std::string> read(const Descriptor& descriptor, std::size_t limit,
                                    const std::string& where) {
        if (descriptor.size > limit) {
            add(where, "document-invalid", fmt::format("{} bytes, more than {}", descriptor.size, limit));
            return {};
        }
        try {
            std::unique_ptr<base::Source> raw = source_.open(descriptor, cancel_);
            std::string bytes = raw->read_all(limit, where);
            if (bytes.size() != descriptor.size) {
                add(where, "size-mismatch",
                    fmt::format("{} bytes, but the descriptor says {}", bytes.size(), descriptor.size));
                return {};
            }
            if (base::Digest digest = base::Digest::of(bytes); digest != descriptor.digest) {
                add(where, "digest-mismatch", fmt::format("the content has digest {}", digest.string()));
                return {};
            }
            return bytes;
        } catch (const base::Error& error) {
            if (!is_content_error(error)) throw;
            add(where, error.code() == ErrorCode::NotFound ? "blob-missing" : "size-mismatch", error.what());
            return {};
        }
    }

    void drain(const Descriptor& descriptor, const std::string& where) {
        base::NullSink nowhere;
        try {
            copy_blob(source_, descriptor, nowhere, cancel_);
        } catch (const base::Error& error) {
            if (!is_content_error(error)) throw;
            add(where, error.code() == ErrorCode::NotFound ? "blob-missing" : "digest-mismatch",
                error.what());
        }
    }

    template <typename Document>
    std::optional<Document> parse(const std::string& bytes, const std::string& where) {
        try {
            return Document::parse(bytes);
        } catch (const base::Error& error) {
            if (!is_content_error(error)) throw;
            add(where, "document-invalid", error.what());
            return {};
        }
    }

    BlobSource& source_;
    const LayerCheck& on_layer_;
    const base::CancelToken& cancel_;
    std::vector<Finding> findings_;
    std::set<base::Digest> seen_;
    std::map<std::pair<base::Digest, bool>, std::optional<base::DiffId>> layers_;
};

}  // namespace

std::vector<Finding> validate_image(BlobSource& source, const Descriptor& root, const LayerCheck& on_layer,
                                    const base::CancelToken& cancel) {
    return Validator(source, on_layer, cancel).run(root);
}

}  // namespace mullion::oci
