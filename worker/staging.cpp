#include "worker/staging.hpp"

#include "worker/file_editor.hpp"

namespace mullion::worker {

tree::Tree with_directory(const tree::Tree& tree, const std::string& path, base::FileTime epoch) {
    FileEditor editor(tree, epoch);
    editor.make_directory({path, {}});
    return editor.tree();
}

std::vector<std::filesystem::path> root_folders(Worker::Parts& parts, const Snapshot& rootfs,
                                                const tree::Tree& staged, const std::filesystem::path& work,
                                                const base::CancelToken& cancel) {
    std::vector<std::filesystem::path> folders = parts.materialiser.folders(rootfs, cancel);
    const tree::Tree& lower = rootfs.tree(cancel);
    if (staged.root() == lower.root()) return folders;
    std::filesystem::path top = work / ("top-" + work.filename().string());
    std::filesystem::create_directory(top);
    parts.materialiser.make_layer(lower, folders, staged, top, cancel);
    folders.insert(folders.begin(), top);
    return folders;
}

}  // namespace mullion::worker
