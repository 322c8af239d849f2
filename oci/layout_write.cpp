#include <algorithm>
#include <mutex>

#include "base/error.hpp"
#include "base/file.hpp"
#include "oci/finished_blobs.hpp"
#include "oci/image_name.hpp"
#include "oci/layout.hpp"
#include "oci/written_blobs.hpp"

namespace mullion::oci {
namespace {

namespace fs = std::filesystem;

class LayoutWriter final : public ImageWriter {
  public:
    explicit LayoutWriter(fs::path directory) : directory_(std::move(directory)) {
        check_version();
        base::make_directories(directory_ / "blobs" / "sha256");
    }

    void put(BlobSource& source, const Descriptor& descriptor, const base::CancelToken& cancel) override {
        if (WrittenBlobs::is_document(descriptor)) {
            put_bytes(descriptor, read_blob(source, descriptor, Manifest::kMaxSize, cancel));
            return;
        }
        if (is_written(descriptor)) return;
        if (!is_there(descriptor, cancel)) {
            base::PendingFile file(directory_);
            copy_blob(source, descriptor, file, cancel);
            file.publish(directory_ / blob_path(descriptor.digest));
        }
        std::lock_guard lock(mutex_);
        written_.add(descriptor);
    }

    bool takes_several() const override { return true; }

    void put_bytes(const Descriptor& descriptor, std::string_view bytes) override {
        verify_bytes(descriptor, bytes);
        if (is_written(descriptor)) return;
        write(blob_path(descriptor.digest), bytes);
        std::lock_guard lock(mutex_);
        if (WrittenBlobs::is_document(descriptor)) written_.add_document(descriptor, std::string(bytes));
        written_.add(descriptor);
    }

    void finish(const std::vector<NamedRoot>& roots) override {
        written_.check_complete(roots);
        Index added = index_of(roots);
        base::FileLock lock(directory_ / ".index.lock", base::FileLock::Mode::Exclusive);
        bool is_new = !check_version();
        Index index = existing_index();
        for (Descriptor& entry : added.manifests) replace(index.manifests, std::move(entry));
        if (is_new) write("oci-layout", kLayoutFile);
        write("index.json", index.json());
    }

  private:
    bool is_written(const Descriptor& descriptor) {
        std::lock_guard lock(mutex_);
        return written_.contains(descriptor.digest);
    }

    // False if the directory is no layout yet; one of another version must not get blobs of ours.
    bool check_version() const {
        return base::with_context([&] { return (directory_ / "oci-layout").string(); },
                                  [&] {
                                      auto text =
                                          read_layout_document(directory_, "oci-layout", kMaxLayoutFile);
                                      if (text) check_layout_file(*text);
                                      return text.has_value();
                                  });
    }

    // Not by AtomicFile: whoever prepared the directory may have put links in it.
    void write(const std::string& name, std::string_view bytes) const {
        base::PendingFile file(directory_);
        file.write(bytes);
        file.publish(directory_ / name);
    }

    // The blob of an earlier image, if it is whole; a damaged one is written again.
    bool is_there(const Descriptor& descriptor, const base::CancelToken& cancel) {
        fs::path path = directory_ / blob_path(descriptor.digest);
        std::error_code error;
        if (!fs::is_regular_file(path, error) || fs::file_size(path, error) != descriptor.size) return false;
        if (finished(cancel).contains(descriptor)) return true;
        base::FileSource source(path);
        return digest_of(source, cancel) == descriptor.digest;
    }

    const FinishedBlobs& finished(const base::CancelToken& cancel) {
        std::lock_guard lock(mutex_);
        if (finished_) return *finished_;
        finished_.emplace();
        std::error_code error;
        if (fs::is_regular_file(directory_ / "index.json", error)) {
            auto layout = ImageArchive::open_path(directory_, cancel);
            std::vector<Descriptor> roots;
            for (const NamedRoot& root : layout->roots()) roots.push_back(root.descriptor);
            finished_->add(*layout, roots, cancel);
        }
        return *finished_;
    }

    Index existing_index() const {
        auto text = read_layout_document(directory_, "index.json", Index::kMaxSize);
        if (!text) return {};
        return base::with_context([&] { return (directory_ / "index.json").string(); },
                                  [&] { return Index::parse(*text); });
    }

    // In the place of the first entry of that name, so that writing the same image again changes nothing.
    static void replace(std::vector<Descriptor>& entries, Descriptor added) {
        auto same = [&](const Descriptor& entry) { return same_name(entry, added); };
        auto first = std::find_if(entries.begin(), entries.end(), same);
        if (first == entries.end()) {
            entries.push_back(std::move(added));
            return;
        }
        entries.erase(std::remove_if(first + 1, entries.end(), same), entries.end());
        *first = std::move(added);
    }

    fs::path directory_;
    std::mutex mutex_;  // guards the rest
    WrittenBlobs written_;
    std::optional<FinishedBlobs> finished_;  // once made, it stays as it is
};

}  // namespace

std::unique_ptr<ImageWriter> write_oci_layout(const fs::path& directory) {
    return std::make_unique<LayoutWriter>(directory);
}

}  // namespace mullion::oci
