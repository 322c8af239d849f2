#include "worker/layer_writer.hpp"

#include "base/copy.hpp"
#include "base/error.hpp"
#include "oci/limits.hpp"
#include "tree/delta_compare.hpp"
#include "tree/delta_times.hpp"
#include "tree/layer_tar.hpp"
#include "tree/parallel.hpp"
#include "worker/prefetch.hpp"

namespace mullion::worker {
namespace {

oci::Descriptor layer_descriptor(oci::Compression compression, const base::Digest& digest,
                                 std::uint64_t size) {
    return {std::string(oci::layer_media_type(compression)), digest, size, {}, {}, {}};
}

}  // namespace

WrittenLayer LayerWriter::write(const Layer& layer, const base::CancelToken& cancel) {
    return layer.written_by([&](const tree::Delta& delta) {
        return base::with_context([] { return std::string("writing a layer"); },
                                  [&] { return write_delta(delta, cancel); });
    });
}

std::pair<WrittenLayer, DeltaRef> LayerWriter::write_delta(const tree::Delta& delta,
                                                           const base::CancelToken& cancel) {
    auto blob = blobs_.state().content().writer();
    oci::SeekTableBuilder points;
    auto compressed = oci::compress_to(*blob, oci::Compression::Gzip, {}, &points);
    base::HashSink tar(compressed.get());
    std::vector<std::uint64_t> offsets;
    {
        Prefetcher contents(delta, blobs_.contents(), cancel);
        offsets = tree::write_layer(delta, contents, tar, cancel);
    }
    tar.finish();
    auto committed = blob->commit();
    WrittenLayer written{base::DiffId{tar.digest()},
                         layer_descriptor(oci::Compression::Gzip, committed.digest, committed.size)};
    auto relocated = std::make_shared<const tree::Delta>(tree::relocate(delta, offsets, written.diff_id));
    blobs_.state().layers().add(written.diff_id, written.blob);
    blobs_.state().layers().put_index(written.diff_id, *relocated);
    blobs_.state().layers().put_seek_table(written.blob.digest, points.take());
    return {std::move(written), std::move(relocated)};
}

std::vector<WrittenLayer> LayerWriter::write_all(const Snapshot& snapshot, const base::CancelToken& cancel) {
    std::vector<LayerRef> layers = snapshot.layers();
    std::vector<std::optional<WrittenLayer>> written(layers.size());
    tree::parallel_for(layers.size(), 1, [&](std::size_t i) { written[i] = write(*layers[i], cancel); });
    std::vector<WrittenLayer> result;
    for (std::optional<WrittenLayer>& layer : written) result.push_back(std::move(*layer));
    return result;
}

oci::Descriptor LayerWriter::recompress(const WrittenLayer& layer, oci::Compression compression,
                                        std::optional<int> level, const base::CancelToken& cancel) {
    bool default_level = !level || (compression == oci::Compression::Gzip && *level == 6);
    if (default_level && oci::compression_of(layer.blob.media_type) == compression) return layer.blob;
    std::string form =
        fmt::format("{} {}", oci::layer_media_type(compression), level ? std::to_string(*level) : "default");
    if (auto known = blobs_.state().layers().recompressed(layer.diff_id, form)) return *known;
    return base::with_context(
        [&] { return fmt::format("recompressing layer {}", layer.blob.digest.string()); },
        [&] {
            auto bytes = blobs_.open(layer.blob, cancel);
            auto tar = oci::decompress(*bytes, oci::kMaxLayerSize);
            auto blob = blobs_.state().content().writer();
            oci::SeekTableBuilder points;
            auto compressed = oci::compress_to(*blob, compression, level, &points);
            base::HashSink hashed(compressed.get());
            base::copy(*tar, hashed, cancel);
            hashed.finish();
            base::Digest digest = hashed.digest();
            if (digest != layer.diff_id.digest) {
                throw base::fail(base::ErrorCode::Corrupt, "its bytes digest to {}, not to its diff ID {}",
                                 digest.string(), layer.diff_id.digest.string());
            }
            auto committed = blob->commit();
            auto made = layer_descriptor(compression, committed.digest, committed.size);
            blobs_.state().layers().add_recompressed(layer.diff_id, form, made);
            blobs_.state().layers().put_seek_table(made.digest, points.take());
            return made;
        });
}

WrittenLayer LayerWriter::clamp_times(const Layer& layer, tree::Os os, base::FileTime latest,
                                      const base::CancelToken& cancel) {
    WrittenLayer written = write(layer, cancel);
    std::pair key{written.diff_id.digest, latest.ticks};
    {
        std::lock_guard lock(mutex_);
        if (auto known = clamped_.find(key); known != clamped_.end()) return known->second;
    }
    DeltaRef delta = layer.delta(os, cancel);
    tree::Delta clamped = tree::clamp_times(*delta, latest);
    if (!tree::same_delta(*delta, clamped)) {
        written = base::with_context([] { return std::string("rewriting the times of a layer"); },
                                     [&] { return write_delta(clamped, cancel).first; });
    }
    std::lock_guard lock(mutex_);
    return clamped_.emplace(key, std::move(written)).first->second;
}

}  // namespace mullion::worker
