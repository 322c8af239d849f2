#include "worker/materialiser.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "cache/layer_paths.hpp"
#include "tree/parallel.hpp"
#include "worker/unpack.hpp"

namespace mullion::worker {
namespace {

namespace fs = std::filesystem;

// Those with a layer of their own, base first.
std::vector<const Snapshot*> stack_of(const Snapshot& snapshot) {
    std::vector<const Snapshot*> stack;
    for (const Snapshot* at = &snapshot; at != nullptr; at = at->below().get()) {
        if (at->top()) stack.push_back(at);
    }
    std::reverse(stack.begin(), stack.end());
    return stack;
}

std::vector<base::DiffId> diff_ids_of(const std::vector<const Snapshot*>& stack) {
    std::vector<base::DiffId> diff_ids;
    for (const Snapshot* snapshot : stack) {
        auto written = snapshot->top()->written();
        if (!written) throw base::fail(base::ErrorCode::Internal, "a layer to unpack was not written");
        diff_ids.push_back(written->diff_id);
    }
    return diff_ids;
}

}  // namespace

std::vector<fs::path> Materialiser::folders(const Snapshot& snapshot, const base::CancelToken& cancel) {
    std::vector<const Snapshot*> stack = stack_of(snapshot);
    std::vector<base::DiffId> diff_ids = diff_ids_of(stack);
    std::size_t merged = stack.size() > kMaxFolders ? stack.size() - kMaxFolders : 0;
    std::vector<fs::path> folders(stack.size() - merged);
    tree::parallel_for(folders.size(), 1, [&](std::size_t i) {
        std::size_t at = merged + i;
        const Snapshot* below = i == 0 ? nullptr : stack[at - 1];
        auto chain = base::chain_id(std::span(diff_ids).first(at + 1));
        folders[folders.size() - 1 - i] = folder_of(below, *stack[at], *chain, cancel);
    });
    return folders;
}

fs::path Materialiser::folder_of(const Snapshot* below, const Snapshot& snapshot, const base::ChainId& chain,
                                 const base::CancelToken& cancel) {
    base::Digest key = cache::LayerPaths::folder_key(chain, below == nullptr);
    auto make = [&](const fs::path& folder) {
        tree::Tree lower = below == nullptr ? tree::Tree(snapshot.os()) : below->tree(cancel);
        unpack(lower, snapshot.tree(cancel), folder, cancel);
    };
    return blobs_.state().layers().unpacked(key, make, cancel);
}

void Materialiser::unpack(const tree::Tree& lower, const tree::Tree& upper, const fs::path& folder,
                          const base::CancelToken& cancel) {
    fs::path files = folder / "Files";
    fs::create_directory(files);
    tree::Delta changes = tree::diff(lower, upper);
    base::with_context([] { return std::string("unpacking a layer"); },
                       [&] {
                           Unpacker(blobs_, upper, files, cancel).run(changes, [&](const fs::path& path) {
                               storage_->make_whiteout(path);
                           });
                       });
}

void Materialiser::write_files(const tree::Tree& tree, const fs::path& directory,
                               const base::CancelToken& cancel) {
    Unpacker(blobs_, tree, directory, cancel).run(tree::diff(tree::Tree(tree.os()), tree), {});
}

}  // namespace mullion::worker
