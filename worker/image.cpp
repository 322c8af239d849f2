#include "worker/image.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "oci/history.hpp"
#include "tree/parallel.hpp"
#include "worker/parts.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;
using oci::Compression;

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

bool keeps_form(bool of_base, const CompressionOptions& wanted) {
    return of_base && !wanted.force;
}

// The blob that goes into the image: the layer's own, or another with the wanted compression.
oci::Descriptor stored_form(Worker::Parts& parts, const WrittenLayer& layer, bool of_base,
                            const CompressionOptions& wanted, const base::CancelToken& cancel) {
    bool keep = keeps_form(of_base, wanted);
    oci::Descriptor blob =
        keep ? layer.blob : parts.writer.recompress(layer, wanted.compression, wanted.level, cancel);
    bool elsewhere = may_be_absent(blob) && !parts.blobs.reachable(blob, cancel);
    // A base layer that is in its registry only may stay there: whoever writes its bytes somewhere checks
    // them then (docs/decisions/0010).
    bool untouched = keep && parts.blobs.only_remote(blob, cancel);
    if (!elsewhere && !untouched && blob.digest == layer.blob.digest) parts.blobs.verify(layer, cancel);
    return blob;
}

std::vector<oci::Descriptor> blobs_of(const std::vector<WrittenLayer>& layers) {
    std::vector<oci::Descriptor> blobs;
    for (const WrittenLayer& layer : layers) blobs.push_back(layer.blob);
    return blobs;
}

std::vector<oci::Descriptor> layer_descriptors(Worker::Parts& parts, const ImageRequest& request,
                                               const std::vector<WrittenLayer>& layers,
                                               const base::CancelToken& cancel) {
    std::vector<std::optional<oci::Descriptor>> stored(layers.size());
    if (!keeps_form(true, request.compression)) parts.blobs.expect(blobs_of(layers));
    tree::parallel_for(layers.size(), 1, [&](std::size_t i) {
        bool of_base = i < request.config.diff_ids.size();
        stored[i] = stored_form(parts, layers[i], of_base, request.compression, cancel);
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

oci::ImageConfig complete_config(const ImageRequest& request, const std::vector<WrittenLayer>& layers) {
    oci::ImageConfig config = request.config;
    config.diff_ids.clear();
    for (const WrittenLayer& layer : layers) config.diff_ids.push_back(layer.diff_id);
    oci::align_history(config.history, layers.size());
    oci::fill_history_times(config.history, request.epoch);
    if (config.platform.os_version.empty()) {
        config.platform.os_version = request.snapshot->platform().os_version;
        config.platform.os_features = request.snapshot->platform().os_features;
    }
    if (!config.created) {
        for (const oci::HistoryEntry& entry : config.history) {
            if (entry.created) config.created = entry.created;
        }
    }
    base::FileTime created = config.created.value_or(request.epoch);
    config.created = std::min(created, request.source_date_epoch.value_or(created));
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

// The layers in their final form: written, and new ones without times that are too late.
std::vector<WrittenLayer> final_layers(Worker::Parts& parts, const ImageRequest& request,
                                       const base::CancelToken& cancel) {
    std::vector<WrittenLayer> layers = parts.writer.write_all(*request.snapshot, cancel);
    check_base(request, layers);
    if (!request.latest_time) return layers;
    std::vector<LayerRef> made = request.snapshot->layers();
    for (std::size_t i = request.config.diff_ids.size(); i < layers.size(); ++i) {
        layers[i] = parts.writer.clamp_times(*made[i], request.snapshot->os(), *request.latest_time, cancel);
    }
    return layers;
}

AssembledImage assemble_documents(const ImageRequest& request, const std::vector<WrittenLayer>& layers,
                                  std::vector<oci::Descriptor> descriptors) {
    bool docker = request.docker_media_types;
    oci::ImageConfig config = complete_config(request, layers);
    std::string config_bytes = config.json();
    oci::Manifest manifest{
        std::string(docker ? oci::media_type::kDockerManifest : oci::media_type::kManifest),
        describe(docker ? oci::media_type::kDockerConfig : oci::media_type::kConfig, config_bytes),
        std::move(descriptors), request.manifest_annotations};
    std::string manifest_bytes = manifest.json();
    oci::Descriptor descriptor = describe(manifest.media_type, manifest_bytes);
    descriptor.platform = config.platform;
    return {std::move(descriptor), std::move(manifest_bytes), std::move(manifest), std::move(config_bytes),
            std::move(config)};
}

}  // namespace

std::vector<AssembledImage> assemble_images(Worker& worker, const std::vector<ImageRequest>& requests,
                                            base::ProgressSink& progress, const base::Digest& vertex,
                                            const base::CancelToken& cancel) {
    Worker::Parts& parts = worker.parts();
    Status status(progress, vertex, "exporting layers");
    std::vector<std::vector<WrittenLayer>> layers;
    std::vector<std::vector<oci::Descriptor>> descriptors;
    for (const ImageRequest& request : requests) {
        layers.push_back(final_layers(parts, request, cancel));
        descriptors.push_back(layer_descriptors(parts, request, layers.back(), cancel));
    }
    status.done();
    std::vector<AssembledImage> images;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        images.push_back(assemble_documents(requests[i], layers[i], std::move(descriptors[i])));
        Status(progress, vertex, "exporting manifest " + images[i].descriptor.digest.string()).done();
        Status(progress, vertex, "exporting config " + images[i].parsed_manifest.config.digest.string())
            .done();
    }
    return images;
}

AssembledImage assemble_image(Worker& worker, const ImageRequest& request, base::ProgressSink& progress,
                              const base::Digest& vertex, const base::CancelToken& cancel) {
    return std::move(assemble_images(worker, {request}, progress, vertex, cancel).front());
}

}  // namespace mullion::worker
