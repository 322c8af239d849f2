#include <deque>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tree/layer_tar.hpp"
#include "worker/exporters.hpp"
#include "worker/file_output.hpp"
#include "worker/parts.hpp"
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

std::vector<fs::path> names_in(const fs::path& directory) {
    std::vector<fs::path> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        names.push_back(entry.path().filename());
    }
    return names;
}

bool is_real_directory(const fs::path& path) {
    return fs::is_directory(fs::symlink_status(path));
}

// Throws Exists if move_into() would meet a directory where a file goes, or the other way round.
void check_room(const fs::path& from, const fs::path& to) {
    for (const fs::path& name : names_in(from)) {
        fs::path target = to / name;
        if (!fs::exists(fs::symlink_status(target))) continue;
        bool directory = is_real_directory(from / name);
        if (directory != is_real_directory(target)) {
            throw fail(ErrorCode::Exists, "{} is in the way: it is {} directory", target.string(),
                       directory ? "no" : "a");
        }
        if (directory) check_room(from / name, target);
    }
}

// Moves what is in `from` into `to`; directories are merged, files replaced. Links in `to` are not followed.
void move_into(const fs::path& from, const fs::path& to) {
    for (const fs::path& name : names_in(from)) {
        fs::path target = to / name;
        if (is_real_directory(from / name) && is_real_directory(target)) {
            move_into(from / name, target);
            continue;
        }
        std::error_code code;
        fs::rename(from / name, target, code);
        if (code) throw base::system_error(code, "writing " + target.string());
    }
}

// A host's files belong to whoever writes them; a bit that gives rights away does not go with them.
void warn_of_local_losses(const PlainFiles& files, base::ProgressSink& progress, const base::Digest& vertex) {
    if (files.owners == 0 && files.special_bits == 0 && files.attributes == 0) return;
    base::WarningEvent warning;
    warning.vertex = vertex;
    warning.message = fmt::format(
        "left out of a directory (type=tar keeps them): owners of {} files, set-ID and sticky bits of {}, "
        "extended attributes of {}",
        files.owners, files.special_bits, files.attributes);
    progress.emit(warning);
}

// "copying files", or one of these per platform; they end together.
std::deque<Status> copying_statuses(base::ProgressSink& progress, const base::Digest& vertex,
                                    const ExportInput& input, bool split) {
    std::deque<Status> statuses;
    if (!split) statuses.emplace_back(progress, vertex, "copying files");
    for (const BuiltImage& image : input.images) {
        if (split) statuses.emplace_back(progress, vertex, "copying files " + image.config.platform.string());
    }
    return statuses;
}

// type=local
class LocalExporter final : public Exporter {
  public:
    LocalExporter(fs::path destination, std::optional<bool> split)
        : destination_(std::move(destination)), split_(split) {}

    std::string title() const override { return "exporting to client directory"; }

  protected:
    ExportResult write(const Job& job) override {
        bool split = splits_platforms(job.input, split_);
        Materialiser& materialiser = job.worker.parts().materialiser;
        for (const BuiltImage& image : job.input.images) materialiser.read_ahead(*image.snapshot, job.cancel);
        PlainFiles files = output_files(job.input, split, job.cancel);
        warn_of_losses(files, job.progress, job.vertex);
        warn_of_local_losses(files, job.progress, job.vertex);
        std::deque<Status> statuses = copying_statuses(job.progress, job.vertex, job.input, split);
        fs::create_directories(destination_);
        base::TempDir written(destination_, ".mullion");
        materialiser.write_files(files.tree, written.path(), job.cancel);
        check_room(written.path(), destination_);
        move_into(written.path(), destination_);
        return {};
    }

  private:
    fs::path destination_;
    std::optional<bool> split_;
};

// type=tar
class TarExporter final : public Exporter {
  public:
    TarExporter(std::optional<fs::path> destination, std::optional<bool> split)
        : destination_(std::move(destination)), split_(split) {}

    std::string title() const override { return "exporting to client tarball"; }
    bool writes_to_standard_output() const override { return !destination_; }

  protected:
    ExportResult write(const Job& job) override {
        PlainFiles files = output_files(job.input, splits_platforms(job.input, split_), job.cancel);
        warn_of_losses(files, job.progress, job.vertex);
        Status status(job.progress, job.vertex, "sending tarball");
        if (destination_) {
            base::AtomicFile file(*destination_);
            write_tar(job, files.tree, file);
            file.finish();
        } else {
            base::FdSink sink(base::kStandardOutput, "standard output");
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
    std::optional<bool> split_;
};

}  // namespace

std::unique_ptr<Exporter> make_local_exporter(AttributeReader& attributes) {
    fs::path path = take_directory_destination(attributes, "a directory");
    return std::make_unique<LocalExporter>(std::move(path), attributes.take_optional_bool("platform-split"));
}

std::unique_ptr<Exporter> make_tar_exporter(AttributeReader& attributes) {
    auto split = attributes.take_optional_bool("platform-split");
    return std::make_unique<TarExporter>(take_file_destination(attributes), split);
}

}  // namespace mullion::worker
