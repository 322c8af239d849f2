#include <unistd.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tree/layer_tar.hpp"
#include "worker/exporters.hpp"
#include "worker/parts.hpp"
#include "worker/plain_files.hpp"
#include "worker/prefetch.hpp"
#include "worker/status.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::fail;

void warn_of_losses(const PlainFiles& files, base::ProgressSink& progress, const base::Digest& vertex) {
    if (files.streams == 0 && files.links == 0) return;
    base::WarningEvent warning;
    warning.vertex = vertex;
    warning.message = fmt::format(
        "left out, because plain files cannot have them: {} alternate data streams, {} links that "
        "lead out of C:",
        files.streams, files.links);
    progress.emit(warning);
}

// Moves what is in `from` into `to`; directories are merged, files replaced. Links in `to` are not followed.
void move_into(const fs::path& from, const fs::path& to) {
    std::vector<fs::path> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(from))
        names.push_back(entry.path().filename());
    for (const fs::path& name : names) {
        fs::path target = to / name;
        fs::file_status there = fs::symlink_status(target);
        bool directory = fs::is_directory(fs::symlink_status(from / name));
        if (fs::exists(there) && directory != fs::is_directory(there)) {
            throw fail(ErrorCode::Exists, "{} is in the way: it is {} directory", target.string(),
                       fs::is_directory(there) ? "a" : "no");
        }
        if (fs::exists(there) && directory) {
            move_into(from / name, target);
            continue;
        }
        std::error_code code;
        fs::rename(from / name, target, code);
        if (code) throw base::system_error(code.value(), "writing " + target.string());
    }
}

// type=local
class LocalExporter final : public Exporter {
  public:
    explicit LocalExporter(fs::path destination) : destination_(std::move(destination)) {}

    std::string title() const override { return "exporting to client directory"; }

  protected:
    ExportResult write(const Job& job) override {
        PlainFiles files = plain_files(job.input.snapshot->tree(job.cancel));
        warn_of_losses(files, job.progress, job.vertex);
        Status status(job.progress, job.vertex, "copying files");
        fs::create_directories(destination_);
        base::TempDir written(destination_, ".mullion");
        job.worker.parts().materialiser.write_files(files.tree, written.path(), job.cancel);
        move_into(written.path(), destination_);
        status.done();
        return {};
    }

  private:
    fs::path destination_;
};

// type=tar
class TarExporter final : public Exporter {
  public:
    explicit TarExporter(std::optional<fs::path> destination) : destination_(std::move(destination)) {}

    std::string title() const override { return "exporting to client tarball"; }
    bool writes_to_standard_output() const override { return !destination_; }

  protected:
    ExportResult write(const Job& job) override {
        PlainFiles files = plain_files(job.input.snapshot->tree(job.cancel));
        warn_of_losses(files, job.progress, job.vertex);
        Status status(job.progress, job.vertex, "sending tarball");
        if (destination_) {
            base::AtomicFile file(*destination_);
            write_tar(job, files.tree, file);
            file.finish();
        } else {
            base::FdSink sink(STDOUT_FILENO, "standard output");
            write_tar(job, files.tree, sink);
        }
        status.done();
        return {};
    }

  private:
    static void write_tar(const Job& job, const tree::Tree& files, base::Sink& sink) {
        tree::Delta delta = tree::diff(tree::Tree(tree::Os::Linux), files);
        delta.files_root.reset();
        Prefetcher contents(delta, job.worker.parts().blobs.contents(), job.cancel);
        tree::write_layer(delta, contents, sink, job.cancel);
    }

    std::optional<fs::path> destination_;
};

}  // namespace

std::unique_ptr<Exporter> make_local_exporter(AttributeReader& attributes) {
    auto destination = attributes.take("dest");
    if (!destination || destination->empty() || *destination == "-") {
        attributes.invalid("dest", destination.value_or(""), "a directory");
    }
    std::error_code code;
    fs::path path = fs::absolute(*destination);
    if (fs::exists(path, code) && !fs::is_directory(path, code)) {
        attributes.invalid("dest", *destination, "a directory; this is a file");
    }
    return std::make_unique<LocalExporter>(std::move(path));
}

std::unique_ptr<Exporter> make_tar_exporter(AttributeReader& attributes) {
    return std::make_unique<TarExporter>(take_file_destination(attributes));
}

}  // namespace mullion::worker
