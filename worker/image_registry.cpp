#include "worker/image_registry.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {
namespace {

constexpr std::string_view kRecordType = "machine path 1";

tree::HiveFile open_hive(const tree::Node& file, tree::ContentProvider& contents,
                         const base::CancelToken& cancel) {
    if (file.content->size() > tree::HiveFile::kMaxSize) {
        throw base::fail(base::ErrorCode::Unsupported, "a registry hive of {} bytes is too large",
                         file.content->size());
    }
    return tree::HiveFile(
        contents.open(*file.content, cancel)->read_all(tree::HiveFile::kMaxSize, "the registry hive"));
}

SnapshotRef snapshot_of_image(Blobs& blobs, const oci::Image& image) {
    std::vector<WrittenLayer> layers;
    for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
        layers.push_back({image.config.diff_ids.at(i), image.manifest.layers[i]});
    }
    return blobs.stack(image.config.platform, layers);
}

base::Digest record_key(const oci::Image& image) {
    base::Hasher hasher;
    hasher.field(kRecordType);
    for (const base::DiffId& layer : image.config.diff_ids) hasher.field(layer.digest.string());
    return hasher.finish();
}

std::string save_path(const std::optional<std::string>& path) {
    base::OrderedJson json;
    json["type"] = kRecordType;
    if (path) json["path"] = *path;
    return json.dump();
}

std::optional<std::string> load_path(const std::string& payload) {
    base::Json json = base::parse_json(payload, "cache record");
    auto path = base::JsonView(json, "cache record").find("path");
    return path ? std::optional(path->string()) : std::nullopt;
}

}  // namespace

tree::HiveStack read_hive(const Snapshot& image, tree::HiveName hive, tree::ContentProvider& contents,
                          const base::CancelToken& cancel) {
    std::vector<tree::HiveFile> hives;
    bool is_base = true;
    for (const LayerRef& layer : image.layers()) {
        DeltaRef delta = layer->delta(image.os(), cancel);
        tree::NodeRef file = tree::hive_in_layer(*delta, std::exchange(is_base, false), hive);
        if (!file && hives.empty()) break;
        if (!file) continue;
        base::with_context([&] { return fmt::format("reading the registry hive {}", tree::hive_path(hive)); },
                           [&] { hives.push_back(open_hive(*file, contents, cancel)); });
    }
    tree::HiveStack stack(std::move(hives));
    if (stack.dirty()) {
        base::log("worker").warn("{} was not closed when the image was made: what is read may be old",
                                 tree::hive_path(hive));
    }
    return stack;
}

std::optional<std::string> machine_path(Worker& worker, const std::string& store,
                                        const base::Digest& manifest, const base::CancelToken& cancel) {
    Worker::Parts& parts = worker.parts();
    oci::Image image = parts.blobs.read_image(store, manifest, cancel);
    base::Digest key = record_key(image);
    if (auto known = parts.state.keys().find(key)) return load_path(known->payload);
    SnapshotRef snapshot = snapshot_of_image(parts.blobs, image);
    auto path =
        tree::machine_path(read_hive(*snapshot, tree::HiveName::System, parts.blobs.contents(), cancel));
    parts.state.keys().save({key}, {key, save_path(path)});
    return path;
}

}  // namespace mullion::worker
