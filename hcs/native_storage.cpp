// LayerStorage on vmcompute.dll and computestorage.dll.
#include <fmt/format.h>

#include <map>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "base/path_text.hpp"
#include "base/synced.hpp"
#include "hcs/native.hpp"
#include "hcs/native_import.hpp"
#include "hcs/native_intents.hpp"
#include "hcs/native_layers.hpp"
#include "hcs/native_owner.hpp"
#include "hcs/transport_folder.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

// In a scratch folder: its parents, and the claim of whoever has it attached.
constexpr const char* kRecord = "mullion.json";
constexpr const char* kClaim = "mullion.claim";
constexpr std::size_t kMostRecord = 1 << 20;

std::string text_of(const fs::path& path) {
    return base::from_wide(path.native());
}

// Beside the scratch: what an export of it consists of.
fs::path export_of(const fs::path& scratch) {
    fs::path path = scratch;
    path += ".export";
    return path;
}

class NativeLayerStorage final : public LayerStorage {
  public:
    explicit NativeLayerStorage(const NativeStorageOptions& options)
        : layers_(options.scratch_bytes), intents_(options.state / "scratches") {
        intents_.roll_back([this](const fs::path& scratch) { undo(scratch); });
    }

    void create_scratch(const fs::path& directory, const ScratchOptions& options) override;
    std::string attach(const fs::path& directory) override;
    LayerChanges export_layer(const fs::path& directory, const base::CancelToken& cancel) override;
    void detach(const fs::path& directory) override;
    void destroy(const fs::path& directory) override;
    bool imports_layers() const override { return true; }
    void import_layer(const fs::path& folder, const LayerImport& layer,
                      const base::CancelToken& cancel) override {
        import_native_layer(layers_, fs::absolute(folder), layer, cancel);
    }
    void remove_layer(const fs::path& folder) override;
    void make_whiteout(const fs::path& path) override;

  private:
    struct Attached {
        base::UniqueHandle claim;
        bool mounted = true;
    };

    LayerFolders parents_of(const fs::path& scratch) const;
    base::UniqueHandle claim(const fs::path& scratch) const;
    bool unmount(const fs::path& scratch);
    void undo(const fs::path& scratch);
    void remove(const fs::path& scratch);

    NativeLayers layers_;
    NativeIntents intents_;
    base::Synced<std::map<fs::path, Attached>> attached_;
};

void NativeLayerStorage::create_scratch(const fs::path& directory, const ScratchOptions& options) {
    if (options.parents.empty()) throw base::fail(ErrorCode::Invalid, "a scratch needs a parent layer");
    fs::path scratch = fs::absolute(directory);
    base::OrderedJson parents = base::OrderedJson::array();
    LayerFolders folders;
    for (const fs::path& parent : options.parents) {
        if (!fs::is_directory(parent / "Files")) {
            throw base::fail(ErrorCode::NotFound, "{} is no layer folder: it has no Files", text_of(parent));
        }
        folders.push_back(fs::absolute(parent));
        parents.push_back(text_of(folders.back()));
    }
    if (fs::exists(scratch)) {
        throw base::fail(ErrorCode::Exists, "the scratch {} exists already", text_of(scratch));
    }
    intents_.record(scratch);
    try {
        fs::create_directory(scratch);
        layers_.create_scratch(scratch, folders);
        base::write_file_atomic(scratch / kRecord, base::OrderedJson{{"parents", parents}}.dump());
    } catch (...) {
        undo(scratch);
        intents_.forget(scratch);
        throw;
    }
}

LayerFolders NativeLayerStorage::parents_of(const fs::path& scratch) const {
    std::optional<std::string> text = base::try_read_file(scratch / kRecord, kMostRecord);
    if (!text) throw base::fail(ErrorCode::Invalid, "{} is no scratch", text_of(scratch));
    base::Json json = base::parse_json(*text, text_of(scratch / kRecord));
    LayerFolders folders;
    for (const std::string& parent : base::JsonView(json, kRecord).at("parents").strings()) {
        folders.push_back(base::to_path(parent));
    }
    return folders;
}

// Goes with the process. None if somebody has it.
base::UniqueHandle NativeLayerStorage::claim(const fs::path& scratch) const {
    base::UniqueHandle handle(::CreateFileW((scratch / kClaim).c_str(), GENERIC_WRITE, 0, nullptr,
                                            CREATE_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, nullptr));
    if (handle) return handle;
    Hresult result = last_error();
    if (result.is_win32(ERROR_SHARING_VIOLATION) || result.is_win32(ERROR_ACCESS_DENIED)) return handle;
    throw hcs_failure(result, fmt::format("cannot claim the scratch {}", text_of(scratch)));
}

std::string NativeLayerStorage::attach(const fs::path& directory) {
    fs::path scratch = fs::absolute(directory);
    LayerFolders parents = parents_of(scratch);
    base::UniqueHandle claimed = claim(scratch);
    if (!claimed) {
        throw base::fail(ErrorCode::Exists, "the scratch {} is attached already", text_of(scratch));
    }
    std::string volume = layers_.mount(scratch, parents);
    attached_.with([&](auto& map) { map.insert_or_assign(scratch, Attached{std::move(claimed)}); });
    return volume;
}

// True if it was mounted by us.
bool NativeLayerStorage::unmount(const fs::path& scratch) {
    bool mounted = attached_.with([&](auto& map) {
        auto found = map.find(scratch);
        return found != map.end() && std::exchange(found->second.mounted, false);
    });
    if (!mounted) return false;
    layers_.unprepare(scratch);
    layers_.deactivate(scratch);
    return true;
}

// Windows exports what was prepared once and is so no more.
LayerChanges NativeLayerStorage::export_layer(const fs::path& directory, const base::CancelToken& cancel) {
    fs::path scratch = fs::absolute(directory);
    LayerFolders parents = parents_of(scratch);
    bool attached = attached_.with([&](auto& map) { return map.count(scratch) != 0; });
    base::UniqueHandle claimed;
    if (!attached) {
        claimed = claim(scratch);
        if (!claimed) throw base::fail(ErrorCode::Invalid, "the scratch {} is in use", text_of(scratch));
        layers_.mount(scratch, parents);
        layers_.unprepare(scratch);
        layers_.deactivate(scratch);
    } else {
        unmount(scratch);
    }
    cancel.check();
    fs::path out = export_of(scratch);
    base::remove_tree(out);
    base::make_directories(out / "layer");
    base::make_directories(out / "contents");
    layers_.export_layer(scratch, out / "layer", parents);
    return read_transport_folder(out / "layer", out / "contents", cancel);
}

void NativeLayerStorage::detach(const fs::path& directory) {
    fs::path scratch = fs::absolute(directory);
    unmount(scratch);
    attached_.with([&](auto& map) { map.erase(scratch); });
}

// Moved away first: whoever comes next may use the path although something of the old one is still in use.
void NativeLayerStorage::destroy(const fs::path& directory) {
    fs::path scratch = fs::absolute(directory);
    if (!fs::exists(scratch)) return;
    parents_of(scratch);
    if (!claim(scratch)) throw base::fail(ErrorCode::Invalid, "the scratch {} is attached", text_of(scratch));
    remove(scratch);
}

void NativeLayerStorage::remove(const fs::path& scratch) {
    fs::path doomed = scratch.parent_path() / ("rm-" + this_process() + "-" + text_of(scratch.filename()));
    intents_.record(doomed);
    base::remove_tree(export_of(scratch));
    if (!::MoveFileExW(scratch.c_str(), doomed.c_str(), 0)) {
        // Access is denied to what is still active.
        layers_.deactivate(scratch);
        if (!::MoveFileExW(scratch.c_str(), doomed.c_str(), 0)) {
            intents_.forget(doomed);
            layers_.destroy(scratch);
            intents_.forget(scratch);
            return;
        }
    }
    intents_.forget(scratch);
    try {
        layers_.destroy(doomed);
        intents_.forget(doomed);
    } catch (const base::Error& error) {
        base::log("hcs").warn("{}{}{}; the next start tries again", error.what(),
                              error.hint().empty() ? "" : ": ", error.hint());
    }
}

// Whatever state it is in.
void NativeLayerStorage::undo(const fs::path& scratch) {
    base::remove_tree(export_of(scratch));
    if (!fs::exists(scratch)) return;
    layers_.unprepare(scratch);
    layers_.deactivate(scratch);
    layers_.destroy(scratch);
    base::remove_tree(scratch);
}

void NativeLayerStorage::remove_layer(const fs::path& folder) {
    layers_.destroy(fs::absolute(folder));
    base::remove_tree(folder);  // what an import has left, if that is no layer to Windows yet
}

void NativeLayerStorage::make_whiteout(const fs::path& path) {
    throw base::fail(ErrorCode::Internal, "{}: layers of Windows are imported, not written file by file",
                     text_of(path));
}

}  // namespace

std::unique_ptr<LayerStorage> make_native_layer_storage(const NativeStorageOptions& options) {
    return std::make_unique<NativeLayerStorage>(options);
}

}  // namespace mullion::hcs
