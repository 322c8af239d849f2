#include "worker/staging.hpp"

#include "worker/file_editor.hpp"

namespace mullion::worker {

tree::Tree with_directory(const tree::Tree& tree, const std::string& path, base::FileTime epoch) {
    FileEditor editor(tree, epoch);
    editor.make_directory({path, {}});
    return editor.tree();
}

RootFolders root_folders(Worker::Parts& parts, const Snapshot& rootfs, const tree::Tree& staged,
                         const base::CancelToken& cancel) {
    RootFolders root{parts.materialiser.folders(rootfs, cancel), {}};
    const tree::Tree& lower = rootfs.tree(cancel);
    if (staged.root() == lower.root()) return root;
    const cache::TempLayer& top = root.own.emplace(parts.state.temporary_layer());
    parts.materialiser.make_layer(lower, root.folders, staged, top.path(), cancel);
    root.folders.insert(root.folders.begin(), top.path());
    return root;
}

}  // namespace mullion::worker
