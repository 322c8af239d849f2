#include "base/error.hpp"
#include "base/file.hpp"
#include "oci/layout.hpp"
#include "worker/exporters.hpp"
#include "worker/image_output.hpp"
#include "worker/parts.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;

// On the archive's entry in index.json: when the build says it was made (dockerfile.md §20).
constexpr const char* kCreatedAnnotation = "org.opencontainers.image.created";

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
    void check(const ExportShape& shape) const override {
        if (form_ == Form::DockerArchive && shape.platforms.size() > 1) {
            throw base::fail(base::ErrorCode::Unsupported,
                             "docker exporter does not currently support exporting manifest lists: what "
                             "\"docker load\" reads holds one platform, and the build makes {}",
                             shape.platforms.size())
                .hint("use type=oci, or build one --platform");
        }
        check_image_output(shape, options_);
    }

  protected:
    ExportResult write(const Job& job) override {
        ImageOutput output =
            assemble_output(job.worker, job.input, options_, job.progress, job.vertex, job.cancel);
        Status status(job.progress, job.vertex, "sending tarball");
        if (form_ == Form::OciLayout) {
            fill(job, output, *oci::write_oci_layout(*destination_));
        } else if (destination_) {
            base::AtomicFile file(*destination_);
            fill(job, output, *archive(file));
            file.finish();
        } else {
            base::FdSink sink(base::kStandardOutput, "standard output");
            fill(job, output, *archive(sink));
        }
        status.done();
        return output.result(options_);
    }

  private:
    std::unique_ptr<oci::ImageWriter> archive(base::Sink& sink) const {
        return form_ == Form::DockerArchive ? oci::write_docker_archive(sink) : oci::write_oci_archive(sink);
    }

    void fill(const Job& job, const ImageOutput& output, oci::ImageWriter& writer) const {
        for (const AssembledImage& image : output.images) put_image(job, image, writer);
        if (!output.index.empty()) writer.put_bytes(output.root, output.index);
        oci::Descriptor root = output.root;
        auto created = base::FileTime::from_seconds(job.input.images.front().epoch.seconds());
        root.annotations.emplace(kCreatedAnnotation, created.rfc3339());
        std::vector<oci::NamedRoot> roots;
        for (const std::string& name : options_.names) roots.push_back({name, root});
        if (roots.empty()) roots.push_back({"", root});
        writer.finish(roots);
    }

    static void put_image(const Job& job, const AssembledImage& image, oci::ImageWriter& writer) {
        Blobs& blobs = job.worker.parts().blobs;
        const std::vector<oci::Descriptor>& layers = image.parsed_manifest.layers;
        blobs.expect(layers);
        for (std::size_t i = 0; i < layers.size(); ++i) {
            if (may_be_absent(layers[i]) && !blobs.reachable(layers[i], job.cancel)) continue;
            blobs.verify({image.parsed_config.diff_ids[i], layers[i]}, job.cancel);
            writer.put(blobs, layers[i], job.cancel);
        }
        writer.put_bytes(image.parsed_manifest.config, image.config);
        writer.put_bytes(image.descriptor, image.manifest);
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
