#include "worker/image.hpp"

#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>

#include "base/error.hpp"
#include "worker/parts.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;
using oci::Compression;

constexpr std::string_view kMadeUpComment = "buildkit.exporter.image.v0";

std::string_view plain_type(Compression compression, bool docker) {
    if (!docker) return oci::layer_media_type(compression);
    switch (compression) {
        case Compression::None:
            return oci::media_type::kDockerLayer;
        case Compression::Gzip:
            return oci::media_type::kDockerLayerGzip;
        case Compression::Zstd:
            break;
    }
    throw fail(
        ErrorCode::Unsupported,
        "Docker's media types have none for zstd layers; use oci-mediatypes=true or another compression");
}

std::string foreign_type(Compression compression, bool docker) {
    std::string type(docker ? "application/vnd.docker.image.rootfs.foreign.diff.tar"
                            : "application/vnd.oci.image.layer.nondistributable.v1.tar");
    if (compression == Compression::Gzip) return type + (docker ? ".gzip" : "+gzip");
    if (compression == Compression::Zstd && !docker) return type + "+zstd";
    if (compression == Compression::Zstd) plain_type(compression, docker);  // refuses
    return type;
}

// The blob that goes into the image: the layer's own, or another with the wanted compression.
oci::Descriptor stored_form(Worker::Parts& parts, const WrittenLayer& layer, bool of_base,
                            const CompressionOptions& wanted, const base::CancelToken& cancel) {
    bool keep = of_base && !wanted.force;
    oci::Descriptor blob =
        keep ? layer.blob : parts.writer.recompress(layer, wanted.compression, wanted.level, cancel);
    bool elsewhere = may_be_absent(blob) && !parts.blobs.reachable(blob, cancel);
    if (!elsewhere && blob.digest == layer.blob.digest) parts.blobs.verify(layer, cancel);
    return blob;
}

std::vector<oci::Descriptor> layer_descriptors(Worker::Parts& parts, const ImageRequest& request,
                                               const std::vector<WrittenLayer>& layers,
                                               const base::CancelToken& cancel) {
    std::vector<std::optional<oci::Descriptor>> stored(layers.size());
    tbb::this_task_arena::isolate([&] {
        tbb::parallel_for(std::size_t{0}, layers.size(), [&](std::size_t i) {
            bool of_base = i < request.config.diff_ids.size();
            stored[i] = stored_form(parts, layers[i], of_base, request.compression, cancel);
        });
    });
    std::vector<oci::Descriptor> descriptors;
    for (std::optional<oci::Descriptor>& form : stored) {
        oci::Descriptor descriptor = std::move(*form);
        Compression compression = oci::compression_of(descriptor.media_type);
        bool foreign = oci::media_type::is_foreign_layer(descriptor.media_type);
        descriptor.media_type = foreign ? foreign_type(compression, request.docker_media_types)
                                        : plain_type(compression, request.docker_media_types);
        descriptors.push_back(std::move(descriptor));
    }
    return descriptors;
}

// One entry that is not `empty_layer` per layer.
void fit_history(std::vector<oci::HistoryEntry>& history, std::size_t layers, base::FileTime epoch) {
    std::size_t with_layer = 0;
    for (oci::HistoryEntry& entry : history) {
        if (entry.empty_layer) continue;
        if (with_layer == layers) {
            entry.empty_layer = true;
        } else {
            ++with_layer;
        }
    }
    for (; with_layer < layers; ++with_layer) {
        oci::HistoryEntry entry;
        entry.created = epoch;
        entry.comment = kMadeUpComment;
        history.push_back(std::move(entry));
    }
}

oci::ImageConfig complete_config(const ImageRequest& request, const std::vector<WrittenLayer>& layers) {
    oci::ImageConfig config = request.config;
    config.diff_ids.clear();
    for (const WrittenLayer& layer : layers) config.diff_ids.push_back(layer.diff_id);
    fit_history(config.history, layers.size(), request.epoch);
    if (config.platform.os_version.empty()) {
        config.platform.os_version = request.snapshot->platform().os_version;
        config.platform.os_features = request.snapshot->platform().os_features;
    }
    if (!config.created) {
        for (const oci::HistoryEntry& entry : config.history) {
            if (entry.created) config.created = entry.created;
        }
    }
    return config;
}

void check_base(const ImageRequest& request, const std::vector<WrittenLayer>& layers) {
    const std::vector<base::DiffId>& base = request.config.diff_ids;
    bool agree =
        base.size() <= layers.size() &&
        std::equal(base.begin(), base.end(), layers.begin(),
                   [](const base::DiffId& id, const WrittenLayer& layer) { return id == layer.diff_id; });
    if (!agree) throw fail(ErrorCode::Internal, "the config is not of the image that was built upon");
}

oci::Descriptor describe(std::string_view type, const std::string& bytes) {
    return {std::string(type), base::Digest::of(bytes), bytes.size(), {}, {}, {}};
}

}  // namespace

AssembledImage assemble_image(Worker& worker, const ImageRequest& request, base::ProgressSink& progress,
                              const base::Digest& vertex, const base::CancelToken& cancel) {
    Worker::Parts& parts = worker.parts();
    bool docker = request.docker_media_types;
    Status status(progress, vertex, "exporting layers");
    std::vector<WrittenLayer> layers = parts.writer.write_all(*request.snapshot, cancel);
    check_base(request, layers);
    std::vector<oci::Descriptor> descriptors = layer_descriptors(parts, request, layers, cancel);
    status.done();

    oci::ImageConfig config = complete_config(request, layers);
    std::string config_bytes = config.json();
    oci::Manifest manifest{
        std::string(docker ? oci::media_type::kDockerManifest : oci::media_type::kManifest),
        describe(docker ? oci::media_type::kDockerConfig : oci::media_type::kConfig, config_bytes),
        std::move(descriptors), request.manifest_annotations};
    std::string manifest_bytes = manifest.json();
    oci::Descriptor descriptor = describe(manifest.media_type, manifest_bytes);
    descriptor.platform = config.platform;
    Status(progress, vertex, "exporting manifest " + descriptor.digest.string()).done();
    Status(progress, vertex, "exporting config " + manifest.config.digest.string()).done();
    return {std::move(descriptor), std::move(manifest_bytes), std::move(manifest), std::move(config_bytes),
            std::move(config)};
}

}  // namespace mullion::worker
