#include "base/error.hpp"
#include "tree/parallel.hpp"
#include "worker/exporters.hpp"
#include "worker/image_output.hpp"
#include "worker/parts.hpp"
#include "worker/pushed_output.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

// type=image: into the local store, where every blob of a named image is present.
class ImageExporter final : public Exporter {
  public:
    // `push`: into registries as well.
    ImageExporter(ImageOptions options, std::optional<PushAttributes> push)
        : options_(std::move(options)), push_(push) {}

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
        if (push_) {
            push_output(job.worker, output, options_.names, *push_, job.progress, job.vertex, job.cancel);
        }
        return output.result(options_);
    }

  private:
    static void store_blobs(const Job& job, const AssembledImage& image) {
        Worker::Parts& parts = job.worker.parts();
        const std::vector<oci::Descriptor>& layers = image.parsed_manifest.layers;
        parts.blobs.expect(layers);
        tree::parallel_for(layers.size(), 1, [&](std::size_t i) {
            if (may_be_absent(layers[i]) && !parts.blobs.reachable(layers[i], job.cancel)) return;
            parts.blobs.verify({image.parsed_config.diff_ids[i], layers[i]}, job.cancel);
            parts.blobs.ensure(layers[i], job.cancel);
        });
        parts.state.content().put_bytes(image.config);
        parts.state.content().put_bytes(image.manifest);
    }

    ImageOptions options_;
    std::optional<PushAttributes> push_;
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
    std::optional<PushAttributes> push;
    if (attributes.take_bool("push", false)) push = take_push_attributes(attributes);
    if (push && options.names.empty()) {
        throw base::fail(base::ErrorCode::Invalid, "output type=image: push=true needs a name");
    }
    return std::make_unique<ImageExporter>(std::move(options), push);
}

}  // namespace mullion::worker
