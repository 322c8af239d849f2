#include "worker/snapshot_files.hpp"

#include "base/error.hpp"
#include "tree/name.hpp"
#include "worker/archive.hpp"
#include "worker/parts.hpp"

namespace mullion::worker {
namespace {

// Null if there is none.
tree::NodeRef find_file(const Snapshot& snapshot, std::string_view path, const base::CancelToken& cancel) {
    const tree::Tree& tree = snapshot.tree(cancel);
    auto target = tree.resolve(tree::normalise(tree.os(), path));
    tree::NodeRef node = target ? tree.find(*target) : nullptr;
    if (!node || node->kind == tree::NodeKind::File) return node;
    throw base::fail(base::ErrorCode::Invalid, "{} is not a regular file", tree::printable(path));
}

}  // namespace

std::optional<std::string> read_snapshot_file(Worker& worker, const Snapshot& snapshot, std::string_view path,
                                              std::size_t limit, const base::CancelToken& cancel) {
    tree::NodeRef node = find_file(snapshot, path, cancel);
    if (!node) return {};
    auto bytes = worker.parts().blobs.contents().open(*node->content, cancel);
    return bytes->read_all(limit, tree::printable(path));
}

bool is_archive_file(Worker& worker, const Snapshot& snapshot, std::string_view path,
                     const base::CancelToken& cancel) {
    tree::NodeRef node = find_file(snapshot, path, cancel);
    return node && worker.parts().archives.is_archive(*node->content, ArchiveFormats::Tar, cancel);
}

std::optional<base::FileTime> time_of_source(const Snapshot& snapshot, const base::CancelToken& cancel) {
    if (snapshot.is_files()) return snapshot.source_time();
    return newest_file(snapshot.tree(cancel));
}

}  // namespace mullion::worker
