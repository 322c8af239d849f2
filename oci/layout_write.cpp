#include <algorithm>

#include "base/error.hpp"
#include "base/file.hpp"
#include "oci/image_name.hpp"
#include "oci/layout.hpp"
#include "oci/written_blobs.hpp"

namespace mullion::oci {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

class LayoutWriter final : public ImageWriter {
  public:
    explicit LayoutWriter(fs::path directory) : directory_(std::move(directory)) {
        std::error_code error;
        fs::create_directories(directory_ / "blobs" / "sha256", error);
        if (error) {
            throw base::system_error(error.value(), fmt::format("cannot create {}", directory_.string()));
        }
    }

    void put(BlobSource& source, const Descriptor& descriptor, const base::CancelToken& cancel) override {
        if (WrittenBlobs::is_document(descriptor)) {
            put_bytes(descriptor, read_blob(source, descriptor, Manifest::kMaxSize, cancel));
            return;
        }
        if (written_.contains(descriptor.digest)) return;
        if (!is_there(descriptor, cancel)) {
            base::AtomicFile file(directory_ / blob_path(descriptor.digest));
            copy_blob(source, descriptor, file, cancel);
            file.finish();
        }
        written_.add(descriptor);
    }

    void put_bytes(const Descriptor& descriptor, std::string_view bytes) override {
        verify_bytes(descriptor, bytes);
        if (written_.contains(descriptor.digest)) return;
        base::write_file_atomic(directory_ / blob_path(descriptor.digest), bytes);
        if (WrittenBlobs::is_document(descriptor)) written_.add_document(descriptor, std::string(bytes));
        written_.add(descriptor);
    }

    void finish(const std::vector<NamedRoot>& roots) override {
        written_.check_complete(roots);
        Index added = index_of(roots);
        base::FileLock lock(directory_ / ".index.lock", base::FileLock::Mode::Exclusive);
        Index index = existing_index();
        for (Descriptor& entry : added.manifests) replace(index.manifests, std::move(entry));
        base::write_file_atomic(directory_ / "oci-layout", kLayoutFile);
        base::write_file_atomic(directory_ / "index.json", index.json());
    }

  private:
    // The blob of an earlier image, if it is whole: a damaged one is written again.
    bool is_there(const Descriptor& descriptor, const base::CancelToken& cancel) const {
        fs::path path = directory_ / blob_path(descriptor.digest);
        std::error_code error;
        if (!fs::is_regular_file(path, error) || fs::file_size(path, error) != descriptor.size) return false;
        base::FileSource source(path);
        base::Hasher hasher;
        std::vector<char> buffer(std::size_t{256} * 1024);
        while (std::size_t got = source.read(buffer.data(), buffer.size())) {
            cancel.check();
            hasher.update({buffer.data(), got});
        }
        return hasher.finish() == descriptor.digest;
    }

    Index existing_index() const {
        fs::path path = directory_ / "index.json";
        std::optional<std::string> text = base::try_read_file(path, Index::kMaxSize);
        if (!text) return {};
        return base::with_context([&] { return path.string(); }, [&] { return Index::parse(*text); });
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
    WrittenBlobs written_;
};

}  // namespace

std::unique_ptr<ImageWriter> write_oci_layout(const fs::path& directory) {
    return std::make_unique<LayoutWriter>(directory);
}

}  // namespace mullion::oci
