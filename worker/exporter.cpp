#include "worker/exporter.hpp"

#include <atomic>

#include "base/error.hpp"
#include "worker/exporters.hpp"

namespace mullion::worker {
namespace {

// Displays tell vertices apart by digest; two outputs of one type are two vertices.
base::Digest unique_vertex(const std::string& title) {
    static std::atomic<std::uint64_t> count{0};
    return base::Hasher().field(title).number(++count).finish();
}

}  // namespace

ExportResult Exporter::run(Worker& worker, const ExportInput& input, base::ProgressSink& progress,
                           const base::CancelToken& cancel) {
    base::VertexEvent vertex{unique_vertex(title()), {}, title(), false, base::FileTime::now(), {}, {}};
    progress.emit(vertex);
    try {
        ExportResult result =
            base::with_context([&] { return title(); },
                               [&] {
                                   return write({worker, input, progress, vertex.digest, cancel});
                               });
        vertex.completed = base::FileTime::now();
        progress.emit(vertex);
        return result;
    } catch (const std::exception& error) {
        vertex.completed = base::FileTime::now();
        vertex.error = error.what();
        progress.emit(vertex);
        throw;
    }
}

std::unique_ptr<Exporter> make_exporter(std::string_view type, const Attributes& attributes,
                                        const std::vector<std::string>& names) {
    AttributeReader reader(type, attributes);
    std::unique_ptr<Exporter> exporter;
    if (type == "oci") {
        exporter = make_oci_exporter(reader, names);
    } else if (type == "docker") {
        exporter = make_docker_exporter(reader, names);
    } else if (type == "image") {
        exporter = make_image_exporter(reader, names);
    } else if (type == "registry") {
        exporter = make_registry_exporter(reader, names);
    } else if (type == "local") {
        exporter = make_local_exporter(reader);
    } else if (type == "tar") {
        exporter = make_tar_exporter(reader);
    } else {
        bool elsewhere = type == "cacheonly";
        throw base::fail(elsewhere ? base::ErrorCode::Unsupported : base::ErrorCode::Invalid,
                         "output type={} {}: expected oci, docker, image, registry, local or tar", type,
                         elsewhere ? "is not built yet" : "is unknown");
    }
    reader.finish();
    return exporter;
}

}  // namespace mullion::worker
