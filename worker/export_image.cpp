#include "base/error.hpp"
#include "worker/exporters.hpp"
#include "worker/image_output.hpp"
#include "worker/parts.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

// type=image: into the local store, where every blob of a named image is present.
class ImageExporter final : public Exporter {
  public:
    explicit ImageExporter(ImageOptions options) : options_(std::move(options)) {}

    std::string title() const override { return "exporting to image"; }
    void check(const ExportShape& shape) const override { check_image_output(shape, options_); }

  protected:
    ExportResult write(const Job& job) override {
        ImageOutput output =
            assemble_output(job.worker, job.input, options_, job.progress, job.vertex, job.cancel);
        cache::ContentStore& store = job.worker.parts().state.content();
        for (const AssembledImage& image : output.images) store_blobs(job, image);
        if (!output.index.empty()) store.put_bytes(output.index);
        for (const std::string& name : options_.names) {
            Status status(job.progress, job.vertex, "naming to " + name);
            job.worker.parts().state.images().put(name, output.root);
            status.done();
        }
        return output.result(options_);
    }

  private:
    static void store_blobs(const Job& job, const AssembledImage& image) {
        Worker::Parts& parts = job.worker.parts();
        for (const oci::Descriptor& layer : image.parsed_manifest.layers) {
            if (may_be_absent(layer) && !parts.blobs.reachable(layer, job.cancel)) continue;
            parts.blobs.ensure(layer, job.cancel);
        }
        parts.state.content().put_bytes(image.config);
        parts.state.content().put_bytes(image.manifest);
    }

    ImageOptions options_;
};

}  // namespace

std::unique_ptr<Exporter> make_image_exporter(AttributeReader& attributes,
                                              const std::vector<std::string>& names) {
    ImageOptions options = take_image_options(attributes, names, false);
    if (attributes.take_bool("unpack", false)) {
        if (options.rewrite_timestamps) {
            throw base::fail(base::ErrorCode::Invalid,
                             "exporter option \"rewrite-timestamp\" conflicts with \"unpack\"");
        }
        throw base::fail(base::ErrorCode::Unsupported,
                         "output type=image: unpack=true is not built yet: layers are unpacked when a "
                         "container first needs them");
    }
    return std::make_unique<ImageExporter>(std::move(options));
}

}  // namespace mullion::worker
