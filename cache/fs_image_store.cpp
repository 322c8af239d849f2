#include "cache/fs_image_store.hpp"

#include "base/error.hpp"
#include "base/json.hpp"
#include "cache/garbage.hpp"
#include "oci/image_name.hpp"

namespace mullion::cache {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::Json;

constexpr const char* kContainerdName = "io.containerd.image.name";
constexpr const char* kOciName = "org.opencontainers.image.ref.name";

// The file as JSON, so that members we do not know survive, and as entries of the same order.
struct IndexFile {
    Json document;
    std::vector<oci::Descriptor> entries;
};

Json entry_json(const std::string& name, oci::Descriptor target) {
    target.annotations[kContainerdName] = name;
    target.annotations[kOciName] = name;
    oci::Index index;
    index.manifests.push_back(std::move(target));
    return base::parse_json(index.json(), "index entry")["manifests"][0];
}

class FsImageStore final : public ImageStore {
  public:
    FsImageStore(const fs::path& state, Session& session, ContentStore& content, Database& database)
        : state_(state),
          file_(state / "index.json"),
          session_(session),
          content_(content),
          database_(database) {}

    std::vector<NamedImage> list() override {
        std::vector<NamedImage> images;
        for (oci::Descriptor& entry : read().entries) {
            std::string name = oci::name_of(entry);
            if (!name.empty()) images.push_back({std::move(name), without_names(std::move(entry))});
        }
        return images;
    }

    std::optional<NamedImage> find(const std::string& name) override {
        for (NamedImage& image : list()) {
            if (image.name == name) return std::move(image);
        }
        return {};
    }

    void put(const std::string& name, const oci::Descriptor& target) override {
        if (name.empty()) throw base::Error(ErrorCode::Internal, "an image needs a name");
        // This leases the target, so that nobody collects it between its last name and this one.
        if (!content_.contains(target.digest)) {
            throw base::fail(ErrorCode::NotFound, "{} cannot be named {}: it is not in the local store",
                             target.digest.string(), name);
        }
        Json added = entry_json(name, target);
        edit([&](IndexFile& index) {
            Json& manifests = index.document["manifests"];
            if (std::find(manifests.begin(), manifests.end(), added) != manifests.end()) return false;
            content_.make_durable();
            erase(index, name);
            manifests.push_back(added);
            return true;
        });
    }

    bool remove(const std::string& name) override {
        return edit([&](IndexFile& index) { return erase(index, name); });
    }

    std::uint64_t collect_garbage(const base::CancelToken& cancel) override {
        read();  // names that cannot be read would lose their images
        return GarbageCollector(state_, session_, content_, database_).run(cancel);
    }

  private:
    IndexFile read() const {
        std::string text = base::try_read_file(file_, oci::Index::kMaxSize).value_or("");
        try {
            return {base::parse_json(text, file_.string()), oci::Index::parse(text).manifests};
        } catch (const base::Error& error) {
            throw base::fail(ErrorCode::Corrupt, "{} cannot be read: {}", file_.string(), error.what())
                .hint("it holds the names of the images; remove it to lose them, and nothing else");
        }
    }

    // Takes turns with other processes; writes if `change` returns true, and returns that.
    template <typename Change>
    bool edit(const Change& change) {
        base::FileLock lock(state_ / "index.json.lock", base::FileLock::Mode::Exclusive);
        IndexFile index = read();
        if (!change(index)) return false;
        base::PendingFile pending(session_.directory());
        pending.write(index.document.dump());
        pending.publish(file_, true);
        return true;
    }

    static bool erase(IndexFile& index, const std::string& name) {
        Json& manifests = index.document["manifests"];
        bool erased = false;
        for (std::size_t i = index.entries.size(); i-- > 0;) {
            if (oci::name_of(index.entries[i]) != name) continue;
            manifests.erase(i);
            erased = true;
        }
        return erased;
    }

    // The target as it was given to put().
    static oci::Descriptor without_names(oci::Descriptor entry) {
        entry.annotations.erase(kContainerdName);
        entry.annotations.erase(kOciName);
        return entry;
    }

    fs::path state_;
    fs::path file_;
    Session& session_;
    ContentStore& content_;
    Database& database_;
};

}  // namespace

std::unique_ptr<ImageStore> make_fs_image_store(const fs::path& state, Session& session,
                                                ContentStore& content, Database& database) {
    return std::make_unique<FsImageStore>(state, session, content, database);
}

}  // namespace mullion::cache
