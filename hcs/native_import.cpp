#include "hcs/native_import.hpp"

#include <fmt/format.h>

#include <set>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/path_text.hpp"
#include "base/win32.hpp"
#include "hcs/backup_files.hpp"
#include "hcs/layer_file.hpp"
#include "hcs/native_utility_vm.hpp"
#include "hcs/transport_folder.hpp"
#include "tree/name.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr const char* kFiles = "Files";

// Hives of a base are made of its files when it is processed.
void import_base(const NativeLayers& layers, const fs::path& folder, const LayerImport& layer,
                 const base::CancelToken& cancel) {
    const tree::Delta& delta = layer.delta;
    BackupFiles files(folder / kFiles, layer.contents, cancel);
    for (const tree::Change& change : delta.changes) {
        const auto* upsert = std::get_if<tree::Upsert>(&change);
        if (upsert == nullptr) {
            throw base::fail(ErrorCode::Corrupt, "a base layer removes {}",
                             tree::printable(tree::path_of(change)));
        }
        if (upsert->hard_link) {
            files.hard_link(folder / kFiles / base::to_path(*upsert->hard_link).make_preferred(),
                            upsert->path);
        } else {
            files.object(upsert->path, *upsert->node);
        }
    }
    files.finish(delta.files_root.value_or(tree::Metadata{}));
    layers.process_base(folder);
}

// A layer that ImportLayer makes, and what is left to be done to it.
class DerivedLayer {
  public:
    DerivedLayer(const NativeLayers& layers, const fs::path& folder, const LayerImport& layer,
                 const base::CancelToken& cancel)
        : layers_(layers), folder_(folder), layer_(layer), cancel_(cancel) {}

    void import() {
        base::TempDir transport(folder_.parent_path(), "transport");
        write(base::verbatim_path(transport.path()));
        layers_.import_layer(folder_, transport.path(), layer_.parents);
        finish();
    }

  private:
    void write(const fs::path& transport) {
        TransportWriter writer(transport, layer_.contents, cancel_);
        for (const tree::Change& change : layer_.delta.changes) {
            cancel_.check();
            const auto* upsert = std::get_if<tree::Upsert>(&change);
            if (upsert == nullptr) {
                writer.removal(tree::path_of(change));
            } else if (!upsert->hard_link) {
                writer.object(upsert->path, *upsert->node);
                own_.insert(tree::fold(tree::Os::Windows, upsert->path));
            }
        }
        for (const tree::Change& change : layer_.delta.hives) {
            const auto* hive = std::get_if<tree::Upsert>(&change);
            if (hive == nullptr || hive->node->kind != tree::NodeKind::File) {
                throw base::fail(ErrorCode::Corrupt, "Hives/{} of the layer is no hive",
                                 tree::printable(tree::path_of(change)));
            }
            writer.hive(hive->path, *hive->node);
        }
        writer.finish();
    }

    // ImportLayer leaves what the layer removes as placeholders, knows no hard links, and fills directories
    // after it gave them their times.
    void finish() {
        fs::path files = base::verbatim_path(folder_ / kFiles);
        BackupFiles links(files, layer_.contents, cancel_);
        for (const tree::Change& change : layer_.delta.changes) {
            const auto* upsert = std::get_if<tree::Upsert>(&change);
            if (upsert != nullptr && !upsert->hard_link) continue;
            base::remove_tree(files / base::to_path(tree::path_of(change)).make_preferred());
            if (upsert != nullptr) links.hard_link(target_of(*upsert->hard_link), upsert->path);
        }
        for (auto at = layer_.delta.changes.rbegin(); at != layer_.delta.changes.rend(); ++at) {
            const auto* upsert = std::get_if<tree::Upsert>(&*at);
            if (upsert == nullptr || upsert->node->kind != tree::NodeKind::Directory) continue;
            write_times(files / base::to_path(upsert->path).make_preferred(), upsert->node->metadata);
        }
    }

    // In this layer or the topmost one below that has it.
    fs::path target_of(const std::string& path) const {
        fs::path name = base::to_path(path).make_preferred();
        if (own_.count(tree::fold(tree::Os::Windows, path)) != 0) return folder_ / kFiles / name;
        for (const fs::path& parent : layer_.parents) {
            if (fs::exists(base::verbatim_path(parent / kFiles / name))) return parent / kFiles / name;
        }
        throw base::fail(ErrorCode::Corrupt, "no layer has {}, which a hard link names",
                         tree::printable(path));
    }

    const NativeLayers& layers_;
    const fs::path& folder_;
    const LayerImport& layer_;
    const base::CancelToken& cancel_;
    std::set<std::string> own_;  // folded paths of its objects
};

}  // namespace

void import_native_layer(const NativeLayers& layers, const fs::path& folder, const LayerImport& layer,
                         const base::CancelToken& cancel) {
    if (layer.parents.empty()) {
        import_base(layers, folder, layer, cancel);
    } else {
        DerivedLayer(layers, folder, layer, cancel).import();
    }
    if (!layer.delta.utility_vm.empty()) import_utility_vm(layers, folder, layer, cancel);
}

}  // namespace mullion::hcs
