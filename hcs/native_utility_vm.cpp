#include "hcs/native_utility_vm.hpp"

#include <windows.h>

#include <algorithm>
#include <array>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "base/win32.hpp"
#include "hcs/backup_files.hpp"
#include "tree/name.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr const char* kUtilityVm = "UtilityVM";
constexpr const char* kFiles = "Files";

// Processing changes them: no other layer may share them.
constexpr std::array kBootFiles = {"Files/EFI/Microsoft/Boot/BCD", "Files/EFI/Microsoft/Boot/BCD.LOG",
                                   "Files/EFI/Microsoft/Boot/BCD.LOG1", "Files/EFI/Microsoft/Boot/BCD.LOG2"};

bool is_boot_file(const std::string& path) {
    return std::any_of(kBootFiles.begin(), kBootFiles.end(),
                       [&](const char* name) { return tree::names_equal(tree::Os::Windows, path, name); });
}

// The folder of the topmost layer that has one.
fs::path nearest(const std::vector<fs::path>& parents) {
    for (const fs::path& parent : parents) {
        if (fs::is_directory(parent / kUtilityVm / kFiles)) return base::verbatim_path(parent / kUtilityVm);
    }
    throw base::fail(ErrorCode::Corrupt, "the layer changes a utility VM, and no layer below has one");
}

// Shares files with the layer below.
void clone(const fs::path& from, BackupFiles& files, const std::string& path) {
    fs::path existing = from / base::to_path(path).make_preferred();
    DWORD attributes = ::GetFileAttributesW(existing.c_str());
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        throw base::last_error("copying " + base::from_wide(existing.native()));
    }
    bool directory = (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    bool link = (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;
    if (directory || link || is_boot_file(path)) {
        files.copy(existing, path);
    } else {
        files.hard_link(existing, path);
    }
    if (!directory || link) return;
    for (const std::string& child : base::list_directory(existing)) {
        clone(from, files, tree::join(path, child));
    }
}

// Directories that are there already stay.
void apply(const std::vector<tree::Change>& changes, const fs::path& root, BackupFiles& files) {
    for (const tree::Change& change : changes) {
        const auto* upsert = std::get_if<tree::Upsert>(&change);
        fs::path host = root / base::to_path(tree::path_of(change)).make_preferred();
        bool directory = upsert != nullptr && upsert->node->kind == tree::NodeKind::Directory;
        if (directory && fs::is_directory(host)) continue;
        base::remove_tree(host);
        if (upsert == nullptr) continue;
        if (upsert->hard_link) {
            files.hard_link(root / base::to_path(*upsert->hard_link).make_preferred(), upsert->path);
        } else {
            files.object(upsert->path, *upsert->node);
        }
    }
}

}  // namespace

void import_utility_vm(const NativeLayers& layers, const fs::path& folder, const LayerImport& layer,
                       const base::CancelToken& cancel) {
    fs::path root = base::verbatim_path(folder / kUtilityVm);
    BackupFiles files(root, layer.contents, cancel);
    if (!layer.parents.empty()) clone(nearest(layer.parents), files, kFiles);
    apply(layer.delta.utility_vm, root, files);
    files.finish(layer.delta.utility_vm_root.value_or(tree::Metadata{}));
    layers.process_utility_vm(root);
}

}  // namespace mullion::hcs
