#include <algorithm>

#include "base/error.hpp"
#include "oci/push.hpp"
#include "worker/exporters.hpp"
#include "worker/image_output.hpp"
#include "worker/parts.hpp"
#include "worker/pushed_output.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using base::fail;

// What was built: its documents are in memory, everything else is where the build finds it.
class OutputBlobs final : public oci::BlobSource {
  public:
    OutputBlobs(const ImageOutput& output, Blobs& blobs) : output_(output), blobs_(blobs) {}

    std::unique_ptr<base::Source> open(const oci::Descriptor& descriptor,
                                       const base::CancelToken& cancel) override {
        if (const std::string* bytes = document(descriptor.digest)) {
            return std::make_unique<base::MemorySource>(*bytes);
        }
        check(descriptor, cancel);
        return blobs_.open(descriptor, cancel);
    }

  private:
    const std::string* document(const base::Digest& digest) const {
        if (!output_.index.empty() && output_.root.digest == digest) return &output_.index;
        for (const AssembledImage& image : output_.images) {
            if (image.descriptor.digest == digest) return &image.manifest;
            if (image.parsed_manifest.config.digest == digest) return &image.config;
        }
        return nullptr;
    }

    // A base layer that stayed in its registry so far is about to be sent to another.
    void check(const oci::Descriptor& blob, const base::CancelToken& cancel) {
        for (const AssembledImage& image : output_.images) {
            const std::vector<oci::Descriptor>& layers = image.parsed_manifest.layers;
            for (std::size_t i = 0; i < layers.size(); ++i) {
                if (layers[i].digest != blob.digest) continue;
                blobs_.verify({image.parsed_config.diff_ids[i], layers[i]}, cancel);
            }
        }
    }

    const ImageOutput& output_;
    Blobs& blobs_;
};

// Names of one repository go together: its blobs are pushed once.
std::vector<std::vector<oci::Reference>> by_repository(const std::vector<std::string>& names) {
    std::vector<std::vector<oci::Reference>> groups;
    for (const std::string& name : names) {
        oci::Reference reference = oci::Reference::parse(name);
        auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& known) {
            return known.front().name() == reference.name();
        });
        if (group == groups.end()) {
            groups.push_back({std::move(reference)});
        } else {
            group->push_back(std::move(reference));
        }
    }
    return groups;
}

// type=registry: nothing is stored here but what the build stores anyway.
class RegistryExporter final : public Exporter {
  public:
    RegistryExporter(ImageOptions options, PushAttributes push) : options_(std::move(options)), push_(push) {}

    std::string title() const override { return "exporting to registry"; }
    void check(const ExportShape& shape) const override { check_image_output(shape, options_); }

  protected:
    ExportResult write(const Job& job) override {
        ImageOutput output =
            assemble_output(job.worker, job.input, options_, job.progress, job.vertex, job.cancel);
        push_output(job.worker, output, options_.names, push_, job.progress, job.vertex, job.cancel);
        return output.result(options_);
    }

  private:
    ImageOptions options_;
    PushAttributes push_;
};

}  // namespace

PushAttributes take_push_attributes(AttributeReader& attributes) {
    return {attributes.take_bool("allow-nondistributable-artifacts", false)};
}

void push_output(Worker& worker, const ImageOutput& output, const std::vector<std::string>& names,
                 const PushAttributes& attributes, base::ProgressSink& progress, const base::Digest& vertex,
                 const base::CancelToken& cancel) {
    Worker::Parts& parts = worker.parts();
    if (parts.options.registry == nullptr) {
        throw fail(ErrorCode::Internal, "no registry client was given to the worker");
    }
    OutputBlobs source(output, parts.blobs);
    std::optional<oci::Reference> pushed_before;
    for (const std::vector<oci::Reference>& group : by_repository(names)) {
        oci::PushOptions options;
        options.nondistributable = attributes.nondistributable;
        options.mount_from = [&](const oci::Descriptor& blob) {
            auto origin = parts.blobs.origin_of(blob.digest);
            return origin && origin->host() == group.front().host() ? origin : pushed_before;
        };
        for (const oci::Reference& name : group) {
            Status(progress, vertex, "pushing " + name.string() + " " + output.root.digest.string()).done();
        }
        oci::push_image(*parts.options.registry, source, output.root, group, options, {progress, vertex},
                        cancel);
        pushed_before = group.front();
    }
}

std::unique_ptr<Exporter> make_registry_exporter(AttributeReader& attributes,
                                                 const std::vector<std::string>& names) {
    ImageOptions options = take_image_options(attributes, names, false);
    if (options.names.empty()) {
        throw fail(ErrorCode::Invalid, "output type=registry: under which name? Give -t NAME or name=NAME");
    }
    PushAttributes push = take_push_attributes(attributes);
    return std::make_unique<RegistryExporter>(std::move(options), push);
}

}  // namespace mullion::worker
