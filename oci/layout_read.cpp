#include "base/error.hpp"
#include "base/file.hpp"
#include "oci/archive_file.hpp"
#include "oci/docker_archive.hpp"
#include "oci/image_name.hpp"
#include "oci/layout.hpp"
#include "oci/tar_index.hpp"

namespace mullion::oci {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

[[noreturn]] void missing(std::string_view where, const Descriptor& descriptor) {
    throw base::fail(ErrorCode::NotFound, "{} has no blob {}", where, descriptor.digest.string());
}

class LayoutDirectory final : public ImageArchive {
  public:
    explicit LayoutDirectory(const fs::path& directory) : directory_(directory) {
        std::optional<std::string> marker = read_layout_document(directory, "oci-layout", kMaxLayoutFile);
        std::optional<std::string> index = read_layout_document(directory, "index.json", Index::kMaxSize);
        if (!marker || !index) {
            throw base::fail(ErrorCode::Invalid, "not an OCI layout: there is no {}",
                             marker ? "index.json" : "oci-layout file");
        }
        check_layout_file(*marker);
        roots_ = named_roots(Index::parse(*index));
    }

    const std::vector<NamedRoot>& roots() const override { return roots_; }

    std::unique_ptr<base::Source> open(const Descriptor& descriptor, const base::CancelToken&) override {
        fs::path path = directory_ / blob_path(descriptor.digest);
        std::error_code error;
        // A FIFO or a device would block us.
        if (!fs::is_regular_file(path, error)) missing(directory_.string(), descriptor);
        return std::make_unique<base::FileSource>(path);
    }

  private:
    fs::path directory_;
    std::vector<NamedRoot> roots_;
};

class OciArchive final : public ImageArchive {
  public:
    OciArchive(ArchiveFile file, TarIndex index, TarIndex::Range layout, TarIndex::Range roots)
        : file_(std::move(file)), index_(std::move(index)) {
        check_layout_file(file_.range(layout.offset, layout.size)->read_all(kMaxLayoutFile, "oci-layout"));
        roots_ = named_roots(
            Index::parse(file_.range(roots.offset, roots.size)->read_all(Index::kMaxSize, "index.json")));
    }

    const std::vector<NamedRoot>& roots() const override { return roots_; }

    std::unique_ptr<base::Source> open(const Descriptor& descriptor, const base::CancelToken&) override {
        std::optional<TarIndex::Range> range = index_.find(blob_path(descriptor.digest));
        if (!range) missing("the archive", descriptor);
        return file_.range(range->offset, range->size);
    }

  private:
    ArchiveFile file_;
    TarIndex index_;
    std::vector<NamedRoot> roots_;
};

// An archive that is both (docker save since version 25, our own docker archives) is read as the OCI layout.
std::unique_ptr<ImageArchive> open_archive(const fs::path& path, const base::CancelToken& cancel,
                                           const fs::path& temporary) {
    ArchiveFile file(path, cancel, temporary);
    TarIndex index(file, cancel);
    std::optional<TarIndex::Range> layout = index.find("oci-layout");
    std::optional<TarIndex::Range> roots = index.find("index.json");
    if (layout && roots) {
        return std::make_unique<OciArchive>(std::move(file), std::move(index), *layout, *roots);
    }
    if (index.find("manifest.json")) {
        return std::make_unique<DockerArchive>(std::move(file), std::move(index), cancel);
    }
    throw base::fail(ErrorCode::Invalid,
                     "neither an OCI archive (oci-layout, index.json) nor a docker archive (manifest.json)");
}

}  // namespace

std::unique_ptr<ImageArchive> ImageArchive::open_path(const fs::path& path, const base::CancelToken& cancel,
                                                      const fs::path& temporary) {
    return base::with_context([&] { return path.string(); },
                              [&]() -> std::unique_ptr<ImageArchive> {
                                  std::error_code error;
                                  if (!fs::is_directory(path, error))
                                      return open_archive(path, cancel, temporary);
                                  return std::make_unique<LayoutDirectory>(path);
                              });
}

}  // namespace mullion::oci
