#include "base/error.hpp"
#include "worker/exporters.hpp"
#include "worker/parts.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

// type=image: into the local store, where every blob of a named image is present.
class ImageExporter final : public Exporter {
  public:
    explicit ImageExporter(ImageOptions options) : options_(std::move(options)) {}

    std::string title() const override { return "exporting to image"; }

  protected:
    ExportResult write(const Job& job) override {
        AssembledImage image = assemble_image(job.worker, image_request(job.input, options_), job.progress,
                                              job.vertex, job.cancel);
        Worker::Parts& parts = job.worker.parts();
        for (const oci::Descriptor& layer : image.parsed_manifest.layers) {
            if (may_be_absent(layer) && !parts.blobs.reachable(layer, job.cancel)) continue;
            parts.blobs.ensure(layer, job.cancel);
        }
        parts.state.content().put_bytes(image.config);
        parts.state.content().put_bytes(image.manifest);
        oci::Descriptor root = image.descriptor;
        root.annotations.insert(options_.descriptor_annotations.begin(),
                                options_.descriptor_annotations.end());
        for (const std::string& name : options_.names) {
            Status status(job.progress, job.vertex, "naming to " + name);
            parts.state.images().put(name, root);
            status.done();
        }
        return {image.descriptor, image.parsed_manifest.config.digest, options_.names};
    }

  private:
    ImageOptions options_;
};

}  // namespace

std::unique_ptr<Exporter> make_image_exporter(AttributeReader& attributes,
                                              const std::vector<std::string>& names) {
    return std::make_unique<ImageExporter>(take_image_options(attributes, names, false));
}

}  // namespace mullion::worker
