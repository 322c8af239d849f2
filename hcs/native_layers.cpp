#include "hcs/native_layers.hpp"

#include <fmt/format.h>

#include <mutex>
#include <thread>

#include "base/log.hpp"
#include "hcs/native.hpp"
#include "hcs/native_holders.hpp"
#include "hcs/schema.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using namespace std::chrono_literals;

constexpr LayerDriver kDriver;

// Windows Server 2019 loses a race for loopback disks now and then.
constexpr int kMountTries = 5;
constexpr auto kMountPause = 100ms;
constexpr int kUndoTries = 3;
constexpr auto kUndoPause = 50ms;
constexpr int kDestroyTries = 4;
constexpr auto kDestroyPause = 30ms;  // doubled each time

std::string text_of(const fs::path& path) {
    return base::from_wide(path.native());
}

void check(HRESULT value, const char* what, const fs::path& layer) {
    Hresult result = hresult(value);
    if (result.failed()) throw hcs_failure(result, fmt::format("cannot {} layer {}", what, text_of(layer)));
}

// What is to be undone may not have been done; what fails is tried again, because nobody else will.
template <typename Call>
void undo(Call call, const char* what, const fs::path& layer) {
    for (int attempt = 1;; ++attempt) {
        Hresult result = hresult(call());
        if (!result.failed() || result.handling() == HcsHandling::AlreadyGone) return;
        if (attempt == kUndoTries) {
            base::log("hcs").warn("cannot {} layer {}: {}", what, text_of(layer), result.describe());
            return;
        }
        std::this_thread::sleep_for(kUndoPause);
    }
}

std::optional<NativeDisks> try_disks() {
    try {
        return NativeDisks();
    } catch (const base::Error&) {
        return std::nullopt;
    }
}

// Descriptors and the texts they point to.
class Parents {
  public:
    explicit Parents(const LayerFolders& folders) : folders_(folders) {
        for (const fs::path& folder : folders_) {
            descriptors_.push_back({to_guid(layer_id(text_of(folder.filename()))), 0, folder.c_str()});
        }
    }
    const LayerDescriptor* data() const { return descriptors_.data(); }
    int size() const { return static_cast<int>(descriptors_.size()); }

  private:
    LayerFolders folders_;
    std::vector<LayerDescriptor> descriptors_;
};

}  // namespace

// Documents, descriptors and the host must agree on it, and only the host knows how it is made.
std::string layer_id(std::string_view folder_name) {
    static const std::shared_ptr<const VmCompute> api = VmCompute::load();
    GUID id;
    Hresult result = hresult(api->NameToGuid(base::to_wide(folder_name).c_str(), &id));
    if (result.failed()) throw hcs_failure(result, fmt::format("no id for layer {}", folder_name));
    return to_text(id);
}

NativeLayers::NativeLayers(std::uint64_t scratch_bytes)
    : scratch_bytes_(scratch_bytes), api_(VmCompute::load()), disks_(try_disks()) {
    enable_layer_privileges();
}

// Enlarging mounts the disk: it is done where the base's is smaller only.
void NativeLayers::create_scratch(const fs::path& scratch, const LayerFolders& folders) const {
    Parents parents(folders);
    check(api_->CreateSandboxLayer(&kDriver, scratch.c_str(), nullptr, parents.data(), parents.size()),
          "create", scratch);
    std::optional<std::uint64_t> size =
        disks_ ? disks_->size_of(folders.back() / "blank.vhdx") : std::nullopt;
    if (size && *size >= scratch_bytes_) return;
    check(api_->ExpandSandboxSize(&kDriver, scratch.c_str(), scratch_bytes_), "enlarge", scratch);
}

std::string NativeLayers::mount(const fs::path& scratch, const LayerFolders& folders) const {
    // Preparing several at once runs into time limits of the host.
    static std::mutex preparing;
    Parents parents(folders);
    for (int attempt = 1;; ++attempt) {
        Hresult result = hresult(api_->ActivateLayer(&kDriver, scratch.c_str()));
        if (!result.failed()) {
            std::unique_lock lock(preparing);
            result = hresult(api_->PrepareLayer(&kDriver, scratch.c_str(), parents.data(), parents.size()));
            lock.unlock();
            if (!result.failed()) break;
            deactivate(scratch);
        }
        if (result.handling() != HcsHandling::Transient || attempt == kMountTries) {
            throw hcs_failure(result, fmt::format("cannot mount layer {}", text_of(scratch)));
        }
        std::this_thread::sleep_for(kMountPause);
    }
    try {
        return volume_of(scratch);
    } catch (...) {
        unprepare(scratch);
        deactivate(scratch);
        throw;
    }
}

// Asked twice, first for the length, which counts the NUL.
std::string NativeLayers::volume_of(const fs::path& scratch) const {
    SIZE_T length = 0;
    check(api_->GetLayerMountPath(&kDriver, scratch.c_str(), &length, nullptr), "find the volume of",
          scratch);
    if (length == 0) throw base::fail(ErrorCode::Io, "layer {} has no volume", text_of(scratch));
    std::wstring path(length, L'\0');
    check(api_->GetLayerMountPath(&kDriver, scratch.c_str(), &length, path.data()), "find the volume of",
          scratch);
    path.resize(path.find(L'\0') == path.npos ? path.size() : path.find(L'\0'));
    if (path.empty() || path.back() != L'\\') path += L'\\';
    return base::from_wide(path);
}

void NativeLayers::unprepare(const fs::path& scratch) const {
    undo([&] { return api_->UnprepareLayer(&kDriver, scratch.c_str()); }, "unprepare", scratch);
}

void NativeLayers::deactivate(const fs::path& scratch) const {
    undo([&] { return api_->DeactivateLayer(&kDriver, scratch.c_str()); }, "deactivate", scratch);
}

void NativeLayers::export_layer(const fs::path& scratch, const fs::path& folder,
                                const LayerFolders& folders) const {
    Parents parents(folders);
    check(api_->ExportLayer(&kDriver, scratch.c_str(), folder.c_str(), parents.data(), parents.size()),
          "export", scratch);
}

void NativeLayers::import_layer(const fs::path& layer, const fs::path& folder,
                                const LayerFolders& folders) const {
    Parents parents(folders);
    check(api_->ImportLayer(&kDriver, layer.c_str(), folder.c_str(), parents.data(), parents.size()),
          "import", layer);
}

// ProcessBaseImage is what everybody calls, so it has the last word.
void NativeLayers::process_base(const fs::path& layer) const {
    try {
        if (disks_) return disks_->set_up_base(layer, scratch_bytes_);
    } catch (const base::Error& error) {
        base::log("hcs").warn("{}; trying ProcessBaseImage", error.what());
    }
    check(api_->ProcessBaseImage(layer.c_str()), "process base", layer);
}

void NativeLayers::process_utility_vm(const fs::path& folder) const {
    check(api_->ProcessUtilityImage(folder.c_str()), "process the utility VM of", folder);
}

// Access is denied to what is still active, and a virus scanner may have a file open for a moment. Other
// failures are tried again too, because nobody else will before the next start.
void NativeLayers::destroy(const fs::path& layer) const {
    auto pause = kDestroyPause;
    for (int attempt = 1;; ++attempt) {
        Hresult result = hresult(api_->DestroyLayer(&kDriver, layer.c_str()));
        if (!result.failed() || result.handling() == HcsHandling::AlreadyGone ||
            result.is_win32(ERROR_FILE_NOT_FOUND) || result.is_win32(ERROR_PATH_NOT_FOUND)) {
            return;
        }
        bool denied = result.is_win32(ERROR_ACCESS_DENIED);
        if (attempt == kDestroyTries) {
            base::Error error = hcs_failure(result, fmt::format("cannot destroy layer {}", text_of(layer)));
            if (std::string holders = holders_of(layer); !holders.empty())
                error.hint("it is used by " + holders);
            throw error;
        }
        if (denied) deactivate(layer);
        std::this_thread::sleep_for(pause);
        pause *= 2;
    }
}

}  // namespace mullion::hcs
