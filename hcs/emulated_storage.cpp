// LayerStorage on overlayfs: scratches and their locks. Nothing is mounted on the host: a box mounts its own
// C:.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/synced.hpp"
#include "hcs/emulation.hpp"
#include "hcs/layer_stack.hpp"
#include "hcs/registry_text.hpp"
#include "hcs/scratch.hpp"
#include "hcs/upper_export.hpp"
#include "hcs/wine_layer.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
namespace fs = std::filesystem;

constexpr std::size_t kHiveLimit = 256 << 20;

// A hive as the container left it, which may have put something else in its place.
std::string read_hive(const fs::path& path) {
    base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        throw base::fail(ErrorCode::Corrupt, "the container left no registry file {}",
                         path.filename().string());
    }
    return base::FileSource(std::move(fd), 0, UINT64_MAX).read_all(kHiveLimit, path.filename().string());
}

class EmulatedLayerStorage final : public LayerStorage {
  public:
    explicit EmulatedLayerStorage(const EmulationOptions& options) : state_(options.state) {}

    void create_scratch(const fs::path& directory, const ScratchOptions& options) override;
    std::string attach(const fs::path& directory) override;
    LayerChanges export_layer(const fs::path& directory, const base::CancelToken& cancel) override;
    void detach(const fs::path& directory) override;
    void destroy(const fs::path& directory) override;
    bool imports_layers() const override { return false; }
    void import_layer(const fs::path& folder, const LayerImport&, const base::CancelToken&) override {
        throw base::fail(base::ErrorCode::Internal, "{}: layers of the emulation are unpacked",
                         folder.string());
    }
    void remove_layer(const fs::path& folder) override { base::remove_tree(folder); }
    void make_whiteout(const fs::path& path) override { overlay::make_whiteout(path); }

  private:
    std::vector<RegistryChange> registry_changes(const Scratch& scratch, const WineLayer& wine) const;

    fs::path state_;
    base::Synced<std::map<fs::path, base::FileLock>> attached_;
};

void EmulatedLayerStorage::create_scratch(const fs::path& directory, const ScratchOptions& options) {
    if (options.parents.empty()) throw base::fail(ErrorCode::Invalid, "a scratch needs a parent layer");
    Scratch scratch;
    for (const fs::path& parent : options.parents) {
        if (!fs::is_directory(parent / "Files")) {
            throw base::fail(ErrorCode::NotFound, "{} is no layer folder: it has no Files", parent.string());
        }
        scratch.parents.push_back(fs::absolute(parent));
    }
    std::error_code error;
    if (!fs::create_directory(directory, error)) {
        if (error) throw base::system_error(error, fmt::format("cannot make {}", directory.string()));
        throw base::fail(ErrorCode::Exists, "the scratch {} exists already", directory.string());
    }
    scratch.directory = directory;
    scratch.os_version = options.os_version;
    scratch.users = options.users;
    fs::create_directory(scratch.upper());
    scratch.save();
}

std::string EmulatedLayerStorage::attach(const fs::path& directory) {
    Scratch scratch = load_scratch(directory);
    std::optional<base::FileLock> lock =
        base::FileLock::try_lock(scratch.lock(), base::FileLock::Mode::Exclusive);
    if (!lock) throw base::fail(ErrorCode::Exists, "the scratch {} is attached already", directory.string());
    attached_.with([&](auto& map) { map.emplace(fs::absolute(directory), std::move(*lock)); });
    return fs::absolute(directory).string();
}

LayerChanges EmulatedLayerStorage::export_layer(const fs::path& directory, const base::CancelToken& cancel) {
    Scratch scratch = load_scratch(directory);
    if (scratch.state == ScratchState::Running) {
        throw base::fail(ErrorCode::Invalid, "the scratch {} is in use: shut its system down first",
                         directory.string());
    }
    if (scratch.state == ScratchState::Terminated) {
        throw base::fail(ErrorCode::Invalid, "the scratch {} is incomplete: its system was terminated",
                         directory.string());
    }
    LayerChanges changes;
    if (scratch.host_name.empty()) return changes;  // nothing ever ran
    WineLayer wine = WineLayer::open(state_, cancel);
    changes.files = export_upper(scratch, wine.files_for(scratch.layer_files()), cancel);
    changes.registry = registry_changes(scratch, wine);
    return changes;
}

std::vector<RegistryChange> EmulatedLayerStorage::registry_changes(const Scratch& scratch,
                                                                   const WineLayer& wine) const {
    constexpr const char* kRoots[] = {"HKLM", "HKCU", "HKU\\.DEFAULT"};
    std::vector<RegistryChange> changes;
    for (std::size_t i = 0; i < std::size(kHiveFiles); ++i) {
        std::string before = wine.hive(kHiveFiles[i], scratch.os_version, scratch.host_name);
        std::string after = read_hive(scratch.prefix() / kHiveFiles[i]);
        for (RegistryChange& change : compare_hives(kRoots[i], before, after))
            changes.push_back(std::move(change));
    }
    return changes;
}

void EmulatedLayerStorage::detach(const fs::path& directory) {
    attached_.with([&](auto& map) { map.erase(fs::absolute(directory)); });
}

void EmulatedLayerStorage::destroy(const fs::path& directory) {
    if (!fs::exists(directory)) return;
    Scratch scratch = load_scratch(directory);
    if (!base::FileLock::try_lock(scratch.lock(), base::FileLock::Mode::Exclusive)) {
        throw base::fail(ErrorCode::Invalid, "the scratch {} is attached", directory.string());
    }
    base::remove_tree(directory);
}

}  // namespace

std::unique_ptr<LayerStorage> make_emulated_layer_storage(const EmulationOptions& options) {
    return std::make_unique<EmulatedLayerStorage>(options);
}

}  // namespace mullion::hcs
