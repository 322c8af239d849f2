#include "oci/docker_archive.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "oci/compress.hpp"
#include "oci/config.hpp"
#include "oci/json_object.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using base::JsonView;

constexpr std::size_t kMaxImages = 1024;
constexpr std::size_t kMaxTags = 1024;
constexpr std::size_t kMaxDocument = Manifest::kMaxSize;
constexpr std::uint64_t kMagicSize = 4;

}  // namespace

struct DockerArchive::Item {
    std::string config;
    std::vector<std::string> tags;
    std::vector<std::string> layers;

    explicit Item(const JsonView& view)
        : config(view.at("Config").string()),
          tags(view.strings_or_empty("RepoTags")),
          layers(view.strings_or_empty("Layers")) {
        check_count(tags.size(), kMaxTags, view);
        check_count(layers.size(), kMaxLayers, view);
    }
};

DockerArchive::DockerArchive(ArchiveFile file, TarIndex index, const base::CancelToken& cancel)
    : file_(std::move(file)), index_(std::move(index)) {
    base::Json document =
        base::parse_json(read(find("manifest.json"), kMaxDocument, "manifest.json"), "manifest.json");
    JsonView view(document, "manifest.json");
    std::vector<JsonView> items = view.array();
    check_count(items.size(), kMaxImages, view);
    for (const JsonView& item : items) add(Item(item), cancel);
}

TarIndex::Range DockerArchive::find(const std::string& path) const {
    if (auto range = index_.find(path)) return *range;
    throw base::fail(ErrorCode::Corrupt, "the archive has no entry \"{}\"", path.substr(0, 4096));
}

std::string DockerArchive::read(TarIndex::Range range, std::size_t limit, const std::string& path) const {
    return file_.range(range.offset, range.size)->read_all(limit, path);
}

Descriptor DockerArchive::add_document(std::string_view media_type, std::string bytes) {
    base::Digest digest = base::Digest::of(bytes);
    Descriptor descriptor{.media_type = std::string(media_type), .digest = digest, .size = bytes.size()};
    documents_.emplace(digest, std::move(bytes));
    return descriptor;
}

Descriptor DockerArchive::add_layer(const std::string& path, const base::DiffId& diff_id,
                                    const base::CancelToken& cancel) {
    TarIndex::Range range = find(path);
    std::string head = read({range.offset, std::min(range.size, kMagicSize)}, kMagicSize, path);
    Compression compression = detect_compression(head);
    base::Digest digest = compression == Compression::None ? diff_id.digest : digest_at(range, cancel);
    layers_.emplace(digest, range);
    return {.media_type = std::string(layer_media_type(compression)), .digest = digest, .size = range.size};
}

// Images share layers: each is digested once, however often manifest.json names it.
base::Digest DockerArchive::digest_at(TarIndex::Range range, const base::CancelToken& cancel) {
    auto known = digests_.find(range.offset);
    if (known == digests_.end()) {
        base::Digest digest = digest_of(*file_.range(range.offset, range.size), cancel);
        known = digests_.emplace(range.offset, digest).first;
    }
    return known->second;
}

void DockerArchive::add(const Item& item, const base::CancelToken& cancel) {
    std::string bytes = read(find(item.config), ImageConfig::kMaxSize, item.config);
    ImageConfig config = base::with_context([&] { return fmt::format("archive entry \"{}\"", item.config); },
                                            [&] { return ImageConfig::parse(bytes); });
    if (config.diff_ids.size() != item.layers.size()) {
        throw base::fail(ErrorCode::Corrupt, "manifest.json lists {} layers, but {} has {} diff IDs",
                         item.layers.size(), item.config, config.diff_ids.size());
    }
    Manifest manifest{.config = add_document(media_type::kConfig, std::move(bytes))};
    for (std::size_t i = 0; i < item.layers.size(); ++i) {
        manifest.layers.push_back(add_layer(item.layers[i], config.diff_ids[i], cancel));
    }
    Descriptor root = add_document(media_type::kManifest, manifest.json());
    if (!config.platform.os.empty()) root.platform = config.platform;
    if (item.tags.empty()) roots_.push_back({"", root});
    for (const std::string& tag : item.tags) roots_.push_back({tag, root});
}

std::unique_ptr<base::Source> DockerArchive::open(const Descriptor& descriptor, const base::CancelToken&) {
    if (auto document = documents_.find(descriptor.digest); document != documents_.end()) {
        return std::make_unique<base::MemorySource>(document->second);
    }
    if (auto layer = layers_.find(descriptor.digest); layer != layers_.end()) {
        return file_.range(layer->second.offset, layer->second.size);
    }
    throw base::fail(ErrorCode::NotFound, "the archive has no blob {}", descriptor.digest.string());
}

}  // namespace mullion::oci
