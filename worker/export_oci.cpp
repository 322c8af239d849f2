#include <unistd.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "oci/layout.hpp"
#include "worker/exporters.hpp"
#include "worker/parts.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;

enum class Form { OciArchive, OciLayout, DockerArchive };

// type=oci and type=docker.
class ArchiveExporter final : public Exporter {
  public:
    ArchiveExporter(Form form, ImageOptions options, std::optional<fs::path> destination)
        : form_(form), options_(std::move(options)), destination_(std::move(destination)) {}

    std::string title() const override {
        return form_ == Form::DockerArchive ? "exporting to docker image format"
                                            : "exporting to oci image format";
    }
    bool writes_to_standard_output() const override { return !destination_; }

  protected:
    ExportResult write(const Job& job) override {
        AssembledImage image = assemble_image(job.worker, image_request(job.input, options_), job.progress,
                                              job.vertex, job.cancel);
        Status status(job.progress, job.vertex, "sending tarball");
        if (form_ == Form::OciLayout) {
            fill(job, image, *oci::write_oci_layout(*destination_));
        } else if (destination_) {
            base::AtomicFile file(*destination_);
            fill(job, image, *archive(file));
            file.finish();
        } else {
            base::FdSink sink(STDOUT_FILENO, "standard output");
            fill(job, image, *archive(sink));
        }
        status.done();
        return {image.descriptor, image.parsed_manifest.config.digest, options_.names};
    }

  private:
    std::unique_ptr<oci::ImageWriter> archive(base::Sink& sink) const {
        return form_ == Form::DockerArchive ? oci::write_docker_archive(sink) : oci::write_oci_archive(sink);
    }

    void fill(const Job& job, const AssembledImage& image, oci::ImageWriter& writer) const {
        Blobs& blobs = job.worker.parts().blobs;
        for (const oci::Descriptor& layer : image.parsed_manifest.layers) {
            if (may_be_absent(layer) && !blobs.reachable(layer, job.cancel)) continue;
            writer.put(blobs, layer, job.cancel);
        }
        writer.put_bytes(image.parsed_manifest.config, image.config);
        writer.put_bytes(image.descriptor, image.manifest);
        oci::Descriptor root = image.descriptor;
        root.annotations.insert(options_.descriptor_annotations.begin(),
                                options_.descriptor_annotations.end());
        std::vector<oci::NamedRoot> roots;
        for (const std::string& name : options_.names) roots.push_back({name, root});
        if (roots.empty()) roots.push_back({"", root});
        writer.finish(roots);
    }

    Form form_;
    ImageOptions options_;
    std::optional<fs::path> destination_;
};

}  // namespace

std::unique_ptr<Exporter> make_oci_exporter(AttributeReader& attributes,
                                            const std::vector<std::string>& names) {
    ImageOptions options = take_image_options(attributes, names, false);
    if (attributes.take_bool("tar", true)) {
        return std::make_unique<ArchiveExporter>(Form::OciArchive, std::move(options),
                                                 take_file_destination(attributes));
    }
    return std::make_unique<ArchiveExporter>(
        Form::OciLayout, std::move(options),
        take_directory_destination(attributes, "a directory, as tar=false asks for"));
}

std::unique_ptr<Exporter> make_docker_exporter(AttributeReader& attributes,
                                               const std::vector<std::string>& names) {
    ImageOptions options = take_image_options(attributes, names, true);
    return std::make_unique<ArchiveExporter>(Form::DockerArchive, std::move(options),
                                             take_file_destination(attributes));
}

}  // namespace mullion::worker
