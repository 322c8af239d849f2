#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/synced.hpp"
#include "cache/content_store.hpp"
#include "cache/session.hpp"
#include "oci/image_name.hpp"

namespace mullion::cache {
namespace {

namespace fs = std::filesystem;
using base::Digest;
using base::ErrorCode;

constexpr std::size_t kMaxLayoutFile = 4096;
constexpr std::string_view kEmptyIndex = R"({"schemaVersion":2,"manifests":[]})";

std::optional<std::uint64_t> size_if_there(const fs::path& path) {
    std::error_code code;
    std::uint64_t size = fs::file_size(path, code);
    if (!code) return size;
    if (code == std::errc::no_such_file_or_directory) return {};
    throw base::system_error(code, fmt::format("cannot open {}", path.string()));
}

class FsContentStore final : public ContentStore {
  public:
    FsContentStore(const fs::path& state, std::shared_ptr<Session> session)
        : blobs_(state / "blobs" / "sha256"), session_(std::move(session)) {
        base::make_directories(blobs_);
        write_if_absent(state / "oci-layout", oci::kLayoutFile);
        write_if_absent(state / "index.json", kEmptyIndex);
        oci::check_layout_file(base::read_file(state / "oci-layout", kMaxLayoutFile));
    }

    std::unique_ptr<base::Source> open(const oci::Descriptor& descriptor, const base::CancelToken&) override {
        fs::path file = path(descriptor.digest);
        std::optional<std::uint64_t> size = size_if_there(file);
        if (!size) not_found(descriptor.digest);
        if (*size != descriptor.size) {
            throw base::fail(ErrorCode::Corrupt, "blob {} has {} bytes instead of {}",
                             descriptor.digest.string(), *size, descriptor.size);
        }
        return std::make_unique<base::FileSource>(file);
    }

    bool contains(const Digest& digest) override {
        rely_on(digest);
        return size_of(digest).has_value();
    }

    std::optional<std::uint64_t> size_of(const Digest& digest) override {
        return size_if_there(path(digest));
    }

    std::unique_ptr<BlobWriter> writer() override;

    fs::path path_of(const Digest& digest) override {
        if (!contains(digest)) not_found(digest);
        return path(digest);
    }

    void remove(const Digest& digest) override { base::remove_tree(path(digest)); }

    std::vector<Digest> list() override {
        std::vector<Digest> digests;
        for (const std::string& name : base::list_directory(blobs_)) {
            if (auto digest = Digest::try_parse("sha256:" + name)) digests.push_back(*digest);
        }
        return digests;
    }

    void make_durable() override {
        std::set<Digest> waiting = waiting_.with([](const std::set<Digest>& set) { return set; });
        if (waiting.empty()) return;
        for (const Digest& digest : waiting) {
            if (size_of(digest)) base::sync_to_disk(path(digest));
        }
        base::sync_to_disk(blobs_);
        waiting_.with([&](std::set<Digest>& set) {
            for (const Digest& digest : waiting) set.erase(digest);
        });
    }

    // What is relied on is leased before anybody looks whether it is there (cache/session.hpp).
    void rely_on(const Digest& digest) {
        session_->lease(digest);
        waiting_.with([&](std::set<Digest>& set) { set.insert(digest); });
    }
    fs::path path(const Digest& digest) const { return blobs_ / digest.hex(); }
    Session& session() { return *session_; }

  private:
    void write_if_absent(const fs::path& file, std::string_view text) {
        if (fs::exists(file)) return;
        // Another process may be as far as having written names.
        base::FileLock lock(file.parent_path() / "index.json.lock", base::FileLock::Mode::Exclusive);
        if (fs::exists(file)) return;
        base::PendingFile pending(session_->directory());
        pending.write(text);
        pending.publish(file);
    }

    [[noreturn]] static void not_found(const Digest& digest) {
        throw base::fail(ErrorCode::NotFound, "blob {} is not in the local store", digest.string());
    }

    fs::path blobs_;
    std::shared_ptr<Session> session_;
    base::Synced<std::set<Digest>> waiting_;  // for make_durable()
};

class FsBlobWriter final : public BlobWriter {
  public:
    explicit FsBlobWriter(FsContentStore& store) : store_(store), file_(store.session().directory()) {}

    void write(std::string_view data) override { hash_.write(data); }

    Committed commit(const std::optional<Digest>& expected,
                     const std::optional<std::uint64_t>& expected_size) override {
        std::uint64_t size = hash_.size();
        Digest digest = hash_.digest();
        if (expected_size && *expected_size != size) {
            throw base::fail(ErrorCode::Corrupt, "the content has {} bytes instead of {}", size,
                             *expected_size);
        }
        if (expected && *expected != digest) {
            throw base::fail(ErrorCode::Corrupt, "the content has digest {} instead of {}", digest.string(),
                             expected->string());
        }
        store_.rely_on(digest);
        if (store_.size_of(digest) != size) file_.publish(store_.path(digest));
        return {digest, size};
    }

    std::unique_ptr<base::Source> written() override { return file_.written(); }

  private:
    FsContentStore& store_;
    base::PendingFile file_;
    base::HashSink hash_{&file_};
};

std::unique_ptr<BlobWriter> FsContentStore::writer() {
    return std::make_unique<FsBlobWriter>(*this);
}

}  // namespace

std::unique_ptr<ContentStore> ContentStore::open_directory(const fs::path& state) {
    return open_directory(state, std::make_shared<Session>(state));
}

std::unique_ptr<ContentStore> ContentStore::open_directory(const fs::path& state,
                                                           std::shared_ptr<Session> session) {
    return std::make_unique<FsContentStore>(state, std::move(session));
}

}  // namespace mullion::cache
