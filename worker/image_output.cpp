#include "worker/image_output.hpp"

#include "base/error.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

ImageRequest request_for(const BuiltImage& image, const ImageOptions& options) {
    ImageRequest request;
    request.snapshot = image.snapshot;
    request.config = image.config;
    request.epoch = image.epoch;
    request.source_date_epoch = image.source_date_epoch;
    request.docker_media_types = options.docker_media_types;
    request.compression = options.compression;
    request.manifest_annotations = options.annotations.manifest(image.config.platform);
    if (options.rewrite_timestamps) request.latest_time = image.source_date_epoch;
    return request;
}

}  // namespace

ExportResult ImageOutput::result(const ImageOptions& options) const {
    ExportResult result{root, {}, options.names};
    if (index.empty()) result.config = images.front().parsed_manifest.config.digest;
    return result;
}

ImageOutput assemble_output(Worker& worker, const ExportInput& input, const ImageOptions& options,
                            base::ProgressSink& progress, const base::Digest& vertex,
                            const base::CancelToken& cancel) {
    std::vector<ImageRequest> requests;
    for (const BuiltImage& image : input.images) requests.push_back(request_for(image, options));
    std::vector<AssembledImage> images = assemble_images(worker, requests, progress, vertex, cancel);
    oci::Index index;
    if (options.docker_media_types) index.media_type = oci::media_type::kDockerIndex;
    index.annotations = options.annotations.index();
    for (AssembledImage& image : images) {
        image.descriptor.annotations = options.annotations.manifest_descriptor(image.parsed_config.platform);
        index.manifests.push_back(image.descriptor);
    }
    if (!input.makes_index) {
        oci::Descriptor root = images.front().descriptor;
        return {std::move(images), {}, std::move(root)};
    }
    std::string document = index.json();
    oci::Descriptor root{index.media_type,
                         base::Digest::of(document),
                         document.size(),
                         options.annotations.index_descriptor(),
                         {},
                         {}};
    Status(progress, vertex, "exporting manifest list " + root.digest.string()).done();
    return {std::move(images), std::move(document), std::move(root)};
}

void check_image_output(const ExportShape& shape, const ImageOptions& options) {
    options.annotations.check(shape.platforms, shape.makes_index);
    if (options.rewrite_timestamps && !shape.has_source_date_epoch) {
        throw fail(ErrorCode::Invalid,
                   "rewrite-timestamp=true: there is no SOURCE_DATE_EPOCH to rewrite times to")
            .hint("set it in the environment or with --build-arg SOURCE_DATE_EPOCH=SECONDS");
    }
}

}  // namespace mullion::worker
