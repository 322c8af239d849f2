#include "oci/validate.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "oci/validate_layer.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr int kMaxDepth = 4;
constexpr std::size_t kMaxImages = 1000;
constexpr std::size_t kMaxFindings = 10'000;

class Validator {
  public:
    Validator(BlobSource& source, const LayerCheck& on_layer, const base::CancelToken& cancel)
        : source_(source), on_layer_(on_layer), cancel_(cancel) {}

    std::vector<Finding> run(const Descriptor& root) {
        check_root(root, 0);
        return std::move(findings_);
    }

  private:
    // What a config says of its image, for the other index entries that name the manifest.
    struct Known {
        Platform platform;
        std::string where;
    };

    void add(const std::string& where, std::string rule, std::string text) {
        if (findings_.size() < kMaxFindings) {
            findings_.push_back({where, std::move(rule), std::move(text)});
        } else if (findings_.size() == kMaxFindings) {
            findings_.push_back({where, "finding-count",
                                 fmt::format("more than {} findings; the rest is left out", kMaxFindings)});
        }
    }

    using DescriptorKey = std::tuple<base::Digest, std::uint64_t, std::string>;
    static DescriptorKey key_of(const Descriptor& descriptor) {
        return {descriptor.digest, descriptor.size, descriptor.media_type};
    }

    // True the first time that something is described like this.
    bool is_new(const Descriptor& descriptor) { return seen_.try_emplace(key_of(descriptor)).second; }

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
        if (!is_new(descriptor)) {
            check_entry_platform(descriptor);
            return;
        }
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
        if (config) {
            seen_.at(key_of(descriptor)) = Known{config->platform, config_where};
            check_config(*config, *manifest, config_where);
            check_entry_platform(descriptor);
        }
        check_layers(*manifest, config, descriptor, where);
    }

    // Does the config have the platform that an index entry promises?
    void check_entry_platform(const Descriptor& entry) {
        const std::optional<Known>& config = seen_.at(key_of(entry));
        if (!config || !entry.platform || agrees(*entry.platform, config->platform)) return;
        add(config->where, "platform-mismatch",
            fmt::format("the config is for {}, the index entry for {}", config->platform.string(),
                        entry.platform->string()));
    }

    // Only its own blobs: what is inside is not an image.
    void check_attestation(const Descriptor& entry) {
        std::string where = "attestation " + entry.digest.string();
        if (!is_new(entry) || seen_.size() > kMaxImages) return;
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

    void check_config(const ImageConfig& config, const Manifest& manifest, const std::string& where) {
        const Platform& platform = config.platform;
        if (platform.os.empty() || platform.architecture.empty()) {
            add(where, "platform-missing", "the config must name os and architecture");
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
                      const Descriptor& entry, const std::string& of) {
        const Platform* platform = config ? &config->platform : entry.platform ? &*entry.platform : nullptr;
        for (std::size_t i = 0; i < manifest.layers.size(); ++i) {
            LayerContext context{i, fmt::format("layer {} of {}", i, of), platform};
            const Descriptor& layer = manifest.layers[i];
            // Base layers have rules of their own, and so has each OS.
            LayerKey key{key_of(layer), i == 0, platform != nullptr ? platform->os : ""};
            auto known = layers_.find(key);
            if (known == layers_.end()) {
                LayerResult result = validate_layer(source_, layer, context, on_layer_, cancel_);
                for (Finding& finding : result.findings) {
                    add(finding.where, std::move(finding.rule), std::move(finding.text));
                }
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
    std::map<DescriptorKey, std::optional<Known>> seen_;  // documents
    using LayerKey = std::tuple<DescriptorKey, bool, std::string>;
    std::map<LayerKey, std::optional<base::DiffId>> layers_;
};

}  // namespace

std::vector<Finding> validate_image(BlobSource& source, const Descriptor& root, const LayerCheck& on_layer,
                                    const base::CancelToken& cancel) {
    return Validator(source, on_layer, cancel).run(root);
}

}  // namespace mullion::oci
