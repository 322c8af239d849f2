#include "worker/blobs.hpp"

#include <algorithm>
#include <unordered_set>

#include "base/copy.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/owned_source.hpp"
#include "oci/compress.hpp"
#include "oci/limits.hpp"
#include "worker/remote_images.hpp"

namespace mullion::worker {
namespace {

using base::CancelToken;
using base::ErrorCode;
using base::fail;

constexpr int kMaxIndexDepth = 4;
constexpr std::size_t kMaxIndexes = 1000;
// A blob is fetched once its parts would cost more than this share of it (docs/decisions/0012).
constexpr std::uint64_t kPartsShare = 4;

// Looks for a manifest below the roots of a layout. Each index is read once, however often others name it.
class ManifestFinder {
  public:
    ManifestFinder(oci::BlobSource& source, const base::Digest& wanted, const CancelToken& cancel)
        : source_(source), wanted_(wanted), cancel_(cancel) {}

    std::optional<oci::Descriptor> find(const oci::Descriptor& root, int depth = 0) {
        if (root.digest == wanted_) return root;
        if (!oci::media_type::is_index(root.media_type) || depth == kMaxIndexDepth) return {};
        if (!seen_.insert(root.digest).second) return {};
        if (seen_.size() > kMaxIndexes) throw fail(ErrorCode::Invalid, "more than {} indexes", kMaxIndexes);
        oci::Index index = oci::Index::parse(oci::read_blob(source_, root, oci::Index::kMaxSize, cancel_));
        for (const oci::Descriptor& entry : index.manifests) {
            if (auto found = find(entry, depth + 1)) return found;
        }
        return {};
    }

  private:
    oci::BlobSource& source_;
    const base::Digest& wanted_;
    const CancelToken& cancel_;
    std::unordered_set<base::Digest> seen_;
};

// One blob of one source, for ingest().
class SingleBlob final : public oci::BlobSource {
  public:
    explicit SingleBlob(std::unique_ptr<base::Source> bytes) : bytes_(std::move(bytes)) {}
    std::unique_ptr<base::Source> open(const oci::Descriptor&, const CancelToken&) override {
        return std::move(bytes_);
    }

  private:
    std::unique_ptr<base::Source> bytes_;
};

}  // namespace

bool may_be_absent(const oci::Descriptor& layer) {
    return !layer.urls.empty() && oci::media_type::is_foreign_layer(layer.media_type);
}

oci::ImageArchive& Blobs::layout(const std::string& store, const CancelToken& cancel) {
    std::lock_guard lock(mutex_);
    if (auto known = open_layouts_.find(store); known != open_layouts_.end()) return *known->second;
    auto path = layouts_.find(store);
    if (path == layouts_.end()) {
        throw fail(ErrorCode::NotFound, "the build was given no image layout named \"{}\"", store);
    }
    auto archive = oci::ImageArchive::open_path(path->second, cancel, state_.temporary_directory());
    return *open_layouts_.emplace(store, std::move(archive)).first->second;
}

std::unique_ptr<base::Source> Blobs::open_in_layouts(const oci::Descriptor& descriptor,
                                                     const CancelToken& cancel) {
    for (const auto& [store, path] : layouts_) {
        try {
            return layout(store, cancel).open(descriptor, cancel);
        } catch (const base::Error& error) {
            if (error.code() != ErrorCode::NotFound) throw;
        }
    }
    return nullptr;
}

std::unique_ptr<base::Source> Blobs::open(const oci::Descriptor& descriptor, const CancelToken& cancel) {
    if (stored(descriptor)) return state_.content().open(descriptor, cancel);
    if (auto source = open_in_layouts(descriptor, cancel)) return source;
    if (remote_ != nullptr) {
        if (auto source = remote_->open(descriptor, cancel)) return source;
        // It may have come in the meantime.
        if (stored(descriptor)) return state_.content().open(descriptor, cancel);
    }
    throw fail(ErrorCode::NotFound, "blob {} is neither in the local store nor in a layout of this build",
               descriptor.digest.string());
}

// Whole, and leased from now on.
bool Blobs::stored(const oci::Descriptor& descriptor) {
    return state_.content().contains(descriptor.digest) &&
           state_.content().size_of(descriptor.digest) == descriptor.size;
}

bool Blobs::reachable(const oci::Descriptor& descriptor, const CancelToken& cancel) {
    return stored(descriptor) || open_in_layouts(descriptor, cancel) != nullptr ||
           (remote_ != nullptr && remote_->origin_of(descriptor.digest));
}

bool Blobs::only_remote(const oci::Descriptor& descriptor, const CancelToken& cancel) {
    return remote_ != nullptr && remote_->origin_of(descriptor.digest) && !stored(descriptor) &&
           open_in_layouts(descriptor, cancel) == nullptr;
}

std::optional<oci::Reference> Blobs::origin_of(const base::Digest& blob) {
    return remote_ == nullptr ? std::nullopt : remote_->origin_of(blob);
}

void Blobs::ensure(const oci::Descriptor& descriptor, const CancelToken& cancel) {
    if (stored(descriptor)) return;
    if (remote_ != nullptr && open_in_layouts(descriptor, cancel) == nullptr &&
        remote_->fetch(descriptor, cancel)) {
        return;
    }
    SingleBlob blob(open(descriptor, cancel));
    state_.content().ingest(blob, descriptor, cancel);
}

oci::Image Blobs::read_image(const std::string& store, const base::Digest& manifest,
                             const CancelToken& cancel) {
    auto not_found = [&] {
        return fail(ErrorCode::NotFound, "there is no image {} in {}", manifest.string(),
                    store.empty() ? "the local store" : store);
    };
    if (store.empty()) {
        // This leases the manifest, and with it config and layers (cache/garbage.hpp).
        if (!state_.content().contains(manifest)) throw not_found();
        auto size = state_.content().size_of(manifest);
        oci::Descriptor root{std::string(oci::media_type::kManifest), manifest, *size, {}, {}, {}};
        return oci::load_image(state_.content(), root, {}, cancel);
    }
    oci::ImageArchive& archive = layout(store, cancel);
    ManifestFinder finder(archive, manifest, cancel);
    for (const oci::NamedRoot& root : archive.roots()) {
        auto found = finder.find(root.descriptor);
        if (found) return oci::load_image(archive, *found, {}, cancel);
    }
    throw not_found();
}

SnapshotRef Blobs::stack(const oci::Platform& platform, const std::vector<WrittenLayer>& layers) {
    std::lock_guard lock(mutex_);
    std::string prefix = platform.string();
    SnapshotRef& bottom = stacks_[prefix];
    if (!bottom) bottom = Snapshot::empty(platform);
    SnapshotRef at = bottom;
    for (const WrittenLayer& layer : layers) {
        // Not the chain ID alone: one layer may lie in several blobs, and the caller's is the one to export.
        prefix = base::Hasher()
                     .field(prefix)
                     .field(layer.diff_id.digest.string())
                     .field(layer.blob.media_type)
                     .field(layer.blob.digest.string())
                     .number(layer.registry_lost ? 1 : 0)
                     .number(layer.of_image ? 1 : 0)
                     .finish()
                     .string();
        SnapshotRef& known = stacks_[prefix];
        if (!known) known = Snapshot::on_top(at, std::make_shared<Layer>(layer, *this));
        at = known;
    }
    return at;
}

void Blobs::add_image(const std::vector<WrittenLayer>& layers) {
    std::vector<base::DiffId> diff_ids;
    for (const WrittenLayer& layer : layers) diff_ids.push_back(layer.diff_id);
    std::lock_guard lock(mutex_);
    auto [known, added] = images_.emplace(std::move(diff_ids), layers);
    if (added) return;
    // Two images of one build with the same layers: whoever comes first, one of them is taken.
    auto digest = [](const WrittenLayer& layer) { return layer.blob.digest; };
    if (std::ranges::lexicographical_compare(layers, known->second, {}, digest, digest)) {
        known->second = layers;
    }
}

std::vector<WrittenLayer> Blobs::on_own_image(std::vector<WrittenLayer> layers) {
    std::vector<base::DiffId> base;
    for (const WrittenLayer& layer : layers) {
        if (!layer.of_image) break;
        base.push_back(layer.diff_id);
    }
    std::lock_guard lock(mutex_);
    if (auto own = images_.find(base); own != images_.end()) {
        std::copy(own->second.begin(), own->second.end(), layers.begin());
    }
    return layers;
}

DeltaRef Blobs::delta_of(const WrittenLayer& layer, tree::Os os, const CancelToken& cancel) {
    return base::with_context([&] { return fmt::format("reading layer {}", layer.blob.digest.string()); },
                              [&]() -> DeltaRef {
                                  if (auto stored = state_.layers().stored_delta(layer.diff_id, os, cancel)) {
                                      std::lock_guard lock(mutex_);
                                      unfetched_.emplace(layer.diff_id, std::make_shared<Unfetched>(layer));
                                      return stored;
                                  }
                                  return read_layer(layer, {.os = os}, cancel);
                              });
}

DeltaRef Blobs::read_layer(const WrittenLayer& layer, const tree::LayerReadOptions& options,
                           const CancelToken& cancel) {
    if (only_remote(layer.blob, cancel)) {
        expect_index(remote_->layers_beside(layer.blob.digest));
        if (auto bytes = remote_->open(layer.blob, cancel)) {
            return state_.layers().read(layer.diff_id, layer.blob, *bytes, options, cancel);
        }
    }
    ensure(layer.blob, cancel);
    return state_.layers().read(layer.diff_id, layer.blob, options, cancel);
}

void Blobs::spool(const WrittenLayer& layer, tree::Os os, const CancelToken& cancel) {
    if (state_.layers().has_index(layer.diff_id)) return;
    auto files = std::make_unique<LayerSpool>(state_.temporary_directory());
    tree::LayerReadOptions options{.os = os};
    options.on_content = [&](const std::string&, std::uint64_t offset, std::uint64_t, base::Source& bytes) {
        files->put(offset, bytes, cancel);
    };
    base::with_context([&] { return fmt::format("reading layer {}", layer.blob.digest.string()); },
                       [&] { read_layer(layer, options, cancel); });
    std::lock_guard lock(mutex_);
    spools_[layer.diff_id] = std::move(files);
}

std::unique_ptr<LayerSpool> Blobs::take_spool(const base::DiffId& diff_id) {
    std::lock_guard lock(mutex_);
    auto found = spools_.find(diff_id);
    return found == spools_.end() ? nullptr : std::move(spools_.extract(found).mapped());
}

// Whoever needs the names of one layer soon needs those of the whole image.
void Blobs::expect_index(const std::vector<WrittenLayer>& image) {
    std::vector<oci::Descriptor> unread;
    for (const WrittenLayer& layer : image) {
        if (!state_.layers().has_index(layer.diff_id)) unread.push_back(layer.blob);
    }
    expect(unread);
}

void Blobs::expect(const std::vector<oci::Descriptor>& blobs) {
    if (remote_ != nullptr) remote_->expect(blobs);
}

void Blobs::verify(const WrittenLayer& layer, const CancelToken& cancel) {
    if (state_.layers().is_known(layer.diff_id, layer.blob.digest)) return;
    base::with_context(
        [&] { return fmt::format("checking layer {}", layer.blob.digest.string()); },
        [&] {
            auto raw = open(layer.blob, cancel);
            base::VerifyingSource blob(*raw, layer.blob.size);
            oci::SeekTableBuilder points;
            auto tar = oci::decompress(blob, oci::kMaxLayerSize, &points);
            base::HashSink hash;
            base::copy(*tar, hash, cancel);
            base::NullSink rest;
            base::copy(blob, rest, cancel);
            base::Digest digest = hash.digest();
            if (digest != layer.diff_id.digest) {
                throw fail(ErrorCode::Corrupt,
                           "its bytes digest to {}, not to the diff ID {} that the image gives for them",
                           digest.string(), layer.diff_id.digest.string())
                    .hint("the image is damaged or made to deceive: get it again, from where you trust");
            }
            if (blob.digest() != layer.blob.digest) throw fail(ErrorCode::Corrupt, "the blob is damaged");
            state_.layers().add(layer.diff_id, layer.blob);
            state_.layers().put_seek_table(layer.blob.digest, points.take());
        });
}

std::shared_ptr<Blobs::Unfetched> Blobs::unfetched(const base::DiffId& diff_id) {
    std::lock_guard lock(mutex_);
    auto found = unfetched_.find(diff_id);
    return found == unfetched_.end() ? nullptr : found->second;
}

void Blobs::fetch(const base::DiffId& diff_id, const CancelToken& cancel) {
    std::shared_ptr<Unfetched> wanted = unfetched(diff_id);
    if (!wanted || wanted->fetched) return;
    std::lock_guard work(wanted->mutex);
    if (wanted->fetched) return;
    if (!state_.layers().blob_of(diff_id)) {
        verify(wanted->layer, cancel);
        ensure(wanted->layer.blob, cancel);
    }
    wanted->fetched = true;
}

// As it comes, if it is in a registry only and nobody has read it yet.
Blobs::OpenLayer Blobs::open_layer(const base::DiffId& diff_id, const CancelToken& cancel) {
    if (auto unread = unfetched(diff_id); unread && !state_.layers().blob_of(diff_id)) {
        const oci::Descriptor& blob = unread->layer.blob;
        if (only_remote(blob, cancel)) {
            if (auto bytes = remote_->open(blob, cancel)) return {blob, std::move(bytes)};
        }
    }
    fetch(diff_id, cancel);
    auto blob = state_.layers().blob_of(diff_id);
    if (!blob) throw fail(ErrorCode::NotFound, "layer {} has no blob", diff_id.digest.string());
    return {*blob, state_.content().open(*blob, cancel)};
}

void Blobs::stream(const base::DiffId& diff_id, tree::LayerReadOptions options, const CancelToken& cancel) {
    OpenLayer layer = open_layer(diff_id, cancel);
    oci::SeekTableBuilder points;
    auto tar = oci::decompress(*layer.bytes, oci::kMaxLayerSize, &points);
    tree::LayerReader reader(std::move(options));
    reader.read(*tar, cancel);
    if (reader.diff_id() != diff_id) {
        throw fail(ErrorCode::Corrupt, "blob {} is not layer {}", layer.blob.digest.string(),
                   diff_id.digest.string());
    }
    // It was read to its end, so the blob is verified.
    state_.layers().put_seek_table(layer.blob.digest, points.take());
    state_.layers().add(diff_id, layer.blob);
}

std::unique_ptr<base::Source> Blobs::read_part(const oci::Descriptor& blob, const oci::HttpRange& part,
                                               const CancelToken& cancel) {
    try {
        return std::make_unique<base::OwnedSource>(remote_->read_part(blob, part, cancel));
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::Unsupported) throw;
    }
    // The server gives no parts.
    ensure(blob, cancel);
    base::UniqueFd file = base::open_read(state_.content().path_of(blob.digest));
    return std::make_unique<base::FileSource>(std::move(file), part.offset, part.size);
}

std::unique_ptr<base::Source> Blobs::open_part(const tree::LayerRange& range, const tree::Content& content,
                                               const CancelToken& cancel) {
    std::shared_ptr<Unfetched> unread = unfetched(range.diff_id);
    // Nothing else says whether the bytes of a part are right.
    if (!unread || unread->fetched || !content.known_digest() || content.size() == 0) return nullptr;
    const oci::Descriptor& blob = unread->layer.blob;
    if (state_.layers().blob_of(range.diff_id) || !only_remote(blob, cancel)) return nullptr;
    auto table = state_.layers().seek_table(blob.digest);
    if (!table || table->blob_size() != blob.size || !cache::has_small_chunks(*table)) return nullptr;
    oci::SeekTable::Span span = table->span(range.offset, content.size());
    if (unread->read_by_parts + (span.end - span.begin) > blob.size / kPartsShare) return nullptr;
    auto open = [this, unread, cancel](std::uint64_t begin, std::uint64_t size) {
        unread->read_by_parts += size;
        return read_part(unread->layer.blob, {begin, size}, cancel);
    };
    auto on_corrupt = [this, digest = blob.digest](base::Error& error) {
        chunks_.forget(digest);
        error.add_frame("a part of blob " + digest.string(), std::source_location::current())
            .hint(
                "the registry sent other bytes than it has: build again, or get the image with mullion pull");
    };
    return std::make_unique<cache::ChunkSource>(
        chunks_, cache::SeekableBlob{blob.digest, std::move(table), std::move(open)}, range.offset,
        content.size(), content.known_digest(), std::move(on_corrupt));
}

std::unique_ptr<base::Source> Blobs::Contents::open(const tree::Content& content, const CancelToken& cancel) {
    if (const auto* range = std::get_if<tree::LayerRange>(&content.location())) {
        if (auto part = blobs_.open_part(*range, content, cancel)) return part;
        blobs_.fetch(range->diff_id, cancel);
    }
    return blobs_.state_.layers().contents().open(content, cancel);
}

void Blobs::Contents::on_digest(const tree::Content& content, const base::Digest& digest,
                                base::FileTime opened) {
    blobs_.state_.layers().contents().on_digest(content, digest, opened);
}

}  // namespace mullion::worker
