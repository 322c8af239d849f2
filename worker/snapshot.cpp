#include "worker/snapshot.hpp"

#include <tbb/task_arena.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "tree/parallel.hpp"
#include "worker/blobs.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

constexpr std::string_view kPayloadVersion = "snapshot 2";

base::OrderedJson layer_json(const WrittenLayer& layer) {
    base::OrderedJson json;
    json["diff_id"] = layer.diff_id.digest.string();
    json["media_type"] = layer.blob.media_type;
    json["digest"] = layer.blob.digest.string();
    json["size"] = layer.blob.size;
    if (!layer.blob.urls.empty()) json["urls"] = layer.blob.urls;
    if (!layer.blob.annotations.empty()) json["annotations"] = layer.blob.annotations;
    if (layer.registry_lost) json["registry_lost"] = true;
    if (layer.of_image) json["of_image"] = true;
    return json;
}

WrittenLayer parse_layer(const base::JsonView& json) {
    oci::Descriptor blob{json.at("media_type").string(), base::Digest::parse(json.at("digest").string()),
                         json.at("size").size(),         {},
                         json.strings_or_empty("urls"),  {}};
    if (auto annotations = json.find("annotations")) {
        for (const auto& [key, value] : annotations->members()) blob.annotations[key] = value.string();
    }
    auto is = [&](const char* name) {
        auto value = json.find(name);
        return value && value->boolean();
    };
    return {base::DiffId{base::Digest::parse(json.at("diff_id").string())}, std::move(blob),
            is("registry_lost"), is("of_image")};
}

}  // namespace

tree::Os image_os(const oci::Platform& platform) {
    return platform.is_windows() ? tree::Os::Windows : tree::Os::Linux;
}

DeltaRef Layer::delta(tree::Os os, const base::CancelToken& cancel) const {
    // Isolated: a thread that waits for parallel work while it holds the lock must not pick up a task that
    // wants the same lock.
    return tbb::this_task_arena::isolate([&] {
        std::lock_guard work(work_);
        {
            std::lock_guard lock(mutex_);
            if (delta_) return delta_;
        }
        DeltaRef delta = blobs_->delta_of(*written(), os, cancel);
        std::lock_guard lock(mutex_);
        delta_ = delta;
        return delta;
    });
}

std::optional<WrittenLayer> Layer::written() const {
    std::lock_guard lock(mutex_);
    return written_;
}

WrittenLayer Layer::written_by(const Writer& write) const {
    if (auto known = written()) return *known;
    return tbb::this_task_arena::isolate([&] {
        std::lock_guard work(work_);
        if (auto known = written()) return *known;
        DeltaRef before;
        {
            std::lock_guard lock(mutex_);
            before = delta_;
        }
        auto [layer, delta] = write(*before);
        layer.registry_lost = registry_lost_;
        std::lock_guard lock(mutex_);
        written_ = layer;
        delta_ = delta;
        return layer;
    });
}

SnapshotRef Snapshot::empty(oci::Platform platform) {
    std::shared_ptr<Snapshot> snapshot(new Snapshot(std::move(platform)));
    snapshot->tree_.emplace(snapshot->os());
    return snapshot;
}

SnapshotRef Snapshot::on_top(SnapshotRef below, LayerRef layer, std::optional<tree::Tree> tree) {
    std::shared_ptr<Snapshot> snapshot(new Snapshot(below->platform()));
    snapshot->below_ = std::move(below);
    snapshot->layer_ = std::move(layer);
    snapshot->tree_ = std::move(tree);
    return snapshot;
}

SnapshotRef Snapshot::stack(oci::Platform platform, const std::vector<LayerRef>& layers) {
    SnapshotRef at = empty(std::move(platform));
    for (const LayerRef& layer : layers) at = on_top(at, layer);
    return at;
}

SnapshotRef Snapshot::files(oci::Platform platform, tree::Tree tree,
                            std::optional<base::FileTime> source_time) {
    std::shared_ptr<Snapshot> snapshot(new Snapshot(std::move(platform)));
    snapshot->is_files_ = true;
    snapshot->source_time_ = source_time;
    snapshot->tree_ = std::move(tree);
    return snapshot;
}

// Step by step: a stack may be deeper than the thread's own.
Snapshot::~Snapshot() {
    SnapshotRef at = std::move(below_);
    while (at && at.use_count() == 1) at = SnapshotRef(std::move(at->below_));
}

tree::Os Snapshot::os() const {
    return image_os(platform_);
}

const LayerRef& Snapshot::top() const {
    std::lock_guard lock(mutex_);
    if (is_files_ && !layer_) {
        layer_ = std::make_shared<Layer>(
            std::make_shared<const tree::Delta>(tree::diff(tree::Tree(os()), *tree_)));
    }
    return layer_;
}

std::vector<LayerRef> Snapshot::layers() const {
    std::vector<LayerRef> layers;
    for (const Snapshot* at = this; at != nullptr; at = at->below_.get()) {
        if (const LayerRef& layer = at->top()) layers.push_back(layer);
    }
    std::reverse(layers.begin(), layers.end());
    return layers;
}

bool Snapshot::has_tree() const {
    std::lock_guard lock(mutex_);
    return tree_.has_value();
}

const tree::Tree& Snapshot::tree(const base::CancelToken& cancel) const {
    std::vector<const Snapshot*> missing;
    for (const Snapshot* at = this; !at->has_tree(); at = at->below_.get()) missing.push_back(at);
    // What costs time is reading layers, which do not depend on one another.
    if (missing.size() > 1) {
        tree::parallel_for(missing.size(), 1,
                           [&](std::size_t i) { missing[i]->layer_->delta(os(), cancel); });
    }
    for (auto at = missing.rbegin(); at != missing.rend(); ++at) (*at)->compute_tree(cancel);
    std::lock_guard lock(mutex_);
    return *tree_;
}

void Snapshot::compute_tree(const base::CancelToken& cancel) const {
    tbb::this_task_arena::isolate([&] {
        std::lock_guard work(work_);
        if (has_tree()) return;
        tree::Tree tree = tree::apply(below_->tree(cancel), *layer_->delta(os(), cancel));
        std::lock_guard lock(mutex_);
        tree_ = std::move(tree);
    });
}

SnapshotRef snapshot_of(const solver::ResultRef& result) {
    auto snapshot = std::dynamic_pointer_cast<const Snapshot>(result);
    if (!snapshot) throw fail(ErrorCode::Internal, "a result is no snapshot");
    return snapshot;
}

bool Snapshot::registry_lost() const {
    for (const Snapshot* at = this; at != nullptr; at = at->below_.get()) {
        // Files have no layer until somebody asks for it, and no step behind them.
        if (!at->is_files_ && at->layer_ && at->layer_->registry_lost()) return true;
    }
    return false;
}

std::vector<WrittenLayer> layers_of(const oci::Image& image) {
    std::vector<WrittenLayer> layers;
    for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
        layers.push_back({image.config.diff_ids.at(i), image.manifest.layers[i], false, true});
    }
    return layers;
}

std::string save_payload(const Snapshot& snapshot) {
    base::OrderedJson json;
    json["type"] = kPayloadVersion;
    json["platform"] = snapshot.platform().string();
    json["layers"] = base::OrderedJson::array();
    for (const LayerRef& layer : snapshot.layers()) {
        auto written = layer->written();
        if (!written) return {};
        json["layers"].push_back(layer_json(*written));
    }
    return json.dump();
}

SnapshotRef load_payload(std::string_view payload, Blobs& blobs, bool allow_registry_loss) {
    try {
        base::Json json = base::parse_json(payload, "cache record");
        base::JsonView view(json, "cache record");
        if (view.at("type").string() != kPayloadVersion) return nullptr;
        std::vector<WrittenLayer> layers;
        for (const base::JsonView& entry : view.at("layers").array()) {
            layers.push_back(parse_layer(entry));
            if (layers.back().registry_lost && !allow_registry_loss) return nullptr;
        }
        layers = blobs.on_own_image(std::move(layers));
        for (const WrittenLayer& layer : layers) {
            if (!may_be_absent(layer.blob) && !blobs.reachable(layer.blob, {})) return nullptr;
        }
        return blobs.stack(oci::Platform::parse(view.at("platform").string()), layers);
    } catch (const base::Error& error) {
        base::log("worker").warn("unusable cache record: {}", error.what());
        return nullptr;
    }
}

}  // namespace mullion::worker
