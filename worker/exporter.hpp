// Outputs of a build (`-o type=...`).
//
//     // before the build starts:
//     auto exporter = worker::make_exporter("oci", {{"dest", "out.tar"}}, names);
//     ... solve ...
//     ExportResult result = exporter->run(worker, input, progress, cancel);
//
//     type    attributes                                          writes
//     oci     dest, tar, name, annotation*, compression*,         an archive, or a directory (tar=false)
//             oci-mediatypes
//     docker  dest, name, annotation*, compression*,              what `docker load` reads
//             oci-mediatypes
//     image   name, annotation*, compression*, oci-mediatypes     names in the local store
//     local   dest                                                the files below C:\ (or /)
//     tar     dest                                                the same as a tar
//
// annotation*: `annotation.KEY` and `annotation-manifest.KEY` (the same),
// `annotation-manifest-descriptor.KEY`; compression*: `compression` (gzip, zstd, uncompressed),
// `compression-level`, `force-compression`. Archives and tars go to standard output without dest, or with
// dest=-. Anything else is refused by name, push and registry options included.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.hpp"
#include "base/progress.hpp"
#include "worker/image.hpp"
#include "worker/worker.hpp"

namespace mullion::worker {

struct ExportInput {
    SnapshotRef snapshot;
    oci::ImageConfig config;
    base::FileTime epoch;
};

struct ExportResult {
    // Only of exporters that make an image.
    std::optional<oci::Descriptor> image;
    std::optional<base::Digest> config;
    std::vector<std::string> names;  // full references
};

class Exporter {
  public:
    virtual ~Exporter() = default;
    // "exporting to oci image format"
    virtual std::string title() const = 0;
    // Will standard output get the data? (dest=- or, for the archive types, no dest)
    virtual bool writes_to_standard_output() const { return false; }
    // Emits one vertex of its own, title(), with its statuses. A file appears only when complete; those of
    // type=local one after another, once all are written and nothing is in their way.
    ExportResult run(Worker& worker, const ExportInput& input, base::ProgressSink& progress,
                     const base::CancelToken& cancel);

  protected:
    struct Job {
        Worker& worker;
        const ExportInput& input;
        base::ProgressSink& progress;
        base::Digest vertex;
        base::CancelToken cancel;
    };
    virtual ExportResult write(const Job& job) = 0;
};

using Attributes = std::vector<std::pair<std::string, std::string>>;

// `names`: what -t said; the attribute `name` (a comma list) adds to them. Throws Invalid for an unknown
// type, attribute or value, a missing dest, a dest whose parent is no directory; Unsupported for what exists
// elsewhere but not here.
std::unique_ptr<Exporter> make_exporter(std::string_view type, const Attributes& attributes,
                                        const std::vector<std::string>& names);

}  // namespace mullion::worker
