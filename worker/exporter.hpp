// Outputs of a build (`-o type=...`).
//
//     // before the build starts:
//     auto exporter = worker::make_exporter("oci", {{"dest", "out.tar"}}, names);
//     ... solve ...
//     ExportResult result = exporter->run(worker, input, progress, cancel);
//
// type    attributes                                    writes
// oci     dest, tar, and those of images                an archive, or (tar=false) a directory
// docker  dest, and those of images                     what `docker load` reads; one platform only
// image   unpack=false, push, and those of images       names in the local store
// registry  allow-nondistributable-artifacts, and those of images    names in registries
// local   dest, platform-split                          the files below C:\ (or /)
// tar     dest, platform-split                          the same as a tar
//
// Of images: `name`, `oci-mediatypes`, `compression` (gzip, zstd, uncompressed), `compression-level`,
// `force-compression`, `rewrite-timestamp`, and annotations (worker/annotations.hpp). Archives and tars go to
// standard output without dest, or with dest=-. type=image with push=true does what type=registry does as
// well. Anything else is refused by name.
//
// Several platforms (ExportInput::makes_index): images become one index; files go to a directory per
// platform, named "windows(10.0.20348.2700)_amd64", unless platform-split=false.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancel.hpp"
#include "base/progress.hpp"
#include "worker/image.hpp"
#include "worker/worker.hpp"

namespace mullion::worker {

// The build's result for one platform; which one, its config says.
struct BuiltImage {
    SnapshotRef snapshot;
    oci::ImageConfig config;
    base::FileTime epoch;  // for what an image needs a time for
    std::optional<base::FileTime> source_date_epoch = {};
};

// The full reference for a name that an image is to be given. Throws Invalid for one with a digest: what an
// image's digest is, nobody can choose.
std::string new_image_name(const std::string& text);

struct ExportInput {
    std::vector<BuiltImage> images;  // at least one; exactly one without makes_index
    bool makes_index = false;
};

// What is known of an ExportInput before anything has run.
struct ExportShape {
    std::vector<oci::Platform> platforms;
    bool makes_index = false;
    bool has_source_date_epoch = false;  // every platform has one
};

struct ExportResult {
    // Only of exporters that make an image or an index.
    std::optional<oci::Descriptor> image;
    std::optional<base::Digest> config;  // of an image
    std::vector<std::string> names;      // full references
};

class Exporter {
  public:
    virtual ~Exporter() = default;
    // "exporting to oci image format"
    virtual std::string title() const = 0;
    // Will standard output get the data? (dest=- or, for the archive types, no dest)
    virtual bool writes_to_standard_output() const { return false; }
    // Throws Invalid or Unsupported for what this exporter cannot do with such a result. To be called before
    // the build runs anything.
    virtual void check(const ExportShape&) const {}
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
