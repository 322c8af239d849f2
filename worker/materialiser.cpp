#include "worker/materialiser.hpp"

#include <fmt/format.h>

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

std::vector<WrittenLayer> layers_of(const std::vector<const Snapshot*>& stack) {
    std::vector<WrittenLayer> layers;
    for (const Snapshot* snapshot : stack) {
        auto written = snapshot->top()->written();
        if (!written) throw base::fail(base::ErrorCode::Internal, "a layer to unpack was not written");
        layers.push_back(std::move(*written));
    }
    return layers;
}

// The files of a layer as they were put aside, whatever else where it lies.
class SpooledContents final : public tree::ContentProvider {
  public:
    SpooledContents(const LayerSpool& spool, const base::DiffId& diff_id, tree::ContentProvider& others)
        : spool_(spool), diff_id_(diff_id), others_(others) {}

    std::unique_ptr<base::Source> open(const tree::Content& content,
                                       const base::CancelToken& cancel) override {
        const auto* range = std::get_if<tree::LayerRange>(&content.location());
        if (range != nullptr && range->diff_id == diff_id_) {
            if (auto bytes = spool_.open(range->offset)) return bytes;
        }
        return others_.open(content, cancel);
    }

  private:
    const LayerSpool& spool_;
    const base::DiffId& diff_id_;
    tree::ContentProvider& others_;
};

// Of the folders of a stack, whose lowest has `merged` layers besides its own; base first.
std::vector<base::Digest> folder_keys(const std::vector<WrittenLayer>& layers, std::size_t merged) {
    std::vector<base::DiffId> diff_ids;
    for (const WrittenLayer& layer : layers) diff_ids.push_back(layer.diff_id);
    std::vector<base::Digest> keys;
    for (std::size_t top = merged; top < layers.size(); ++top) {
        auto chain = base::chain_id(std::span(diff_ids).first(top + 1));
        keys.push_back(cache::LayerPaths::folder_key(*chain, top == merged));
    }
    return keys;
}

}  // namespace

std::vector<fs::path> Materialiser::folders(const Snapshot& snapshot, const base::CancelToken& cancel) {
    std::vector<const Snapshot*> stack = stack_of(snapshot);
    std::vector<WrittenLayer> layers = layers_of(stack);
    if (storage_->imports_layers()) return import_stack(stack, layers, cancel);
    std::size_t merged = stack.size() > kMaxFolders ? stack.size() - kMaxFolders : 0;
    std::vector<base::Digest> keys = folder_keys(layers, merged);
    read_missing(layers, merged, keys, snapshot.os(), cancel);
    std::vector<fs::path> folders(keys.size());
    tree::parallel_for(folders.size(), 1, [&](std::size_t i) {
        const Snapshot* below = i == 0 ? nullptr : stack[merged + i - 1];
        folders[folders.size() - 1 - i] = folder_of(below, *stack[merged + i], keys[i], cancel);
    });
    return folders;
}

// What will be unpacked begins to come, if it is not here, and is read.
void Materialiser::read_missing(const std::vector<WrittenLayer>& layers, std::size_t merged,
                                const std::vector<base::Digest>& keys, tree::Os os,
                                const base::CancelToken& cancel) {
    cache::LayerStore& store = blobs_.state().layers();
    std::vector<WrittenLayer> missing;
    std::vector<oci::Descriptor> blobs;
    for (std::size_t i = 0; i < layers.size(); ++i) {
        std::size_t folder = i < merged ? 0 : i - merged;
        if (store.is_unpacked(keys[folder])) continue;
        missing.push_back(layers[i]);
        if (!store.blob_of(layers[i].diff_id)) blobs.push_back(layers[i].blob);
    }
    blobs_.expect(blobs);
    read_unread(missing, os, cancel);
}

void Materialiser::read_ahead(const Snapshot& snapshot, const base::CancelToken& cancel) {
    std::vector<WrittenLayer> layers;
    for (const LayerRef& layer : snapshot.layers()) {
        if (auto written = layer->written()) layers.push_back(std::move(*written));
    }
    read_unread(std::move(layers), snapshot.os(), cancel);
}

void Materialiser::read_unread(std::vector<WrittenLayer> layers, tree::Os os,
                               const base::CancelToken& cancel) {
    std::erase_if(
        layers, [&](const WrittenLayer& layer) { return blobs_.state().layers().has_index(layer.diff_id); });
    std::vector<oci::Descriptor> blobs;
    for (const WrittenLayer& layer : layers) blobs.push_back(layer.blob);
    blobs_.expect(blobs);
    tree::parallel_for(layers.size(), 1, [&](std::size_t i) { blobs_.spool(layers[i], os, cancel); });
}

fs::path Materialiser::folder_of(const Snapshot* below, const Snapshot& snapshot, const base::Digest& key,
                                 const base::CancelToken& cancel) {
    auto make = [&](const fs::path& folder) {
        tree::Tree lower = below == nullptr ? tree::Tree(snapshot.os()) : below->tree(cancel);
        unpack(lower, snapshot.tree(cancel), folder, cancel);
    };
    return blobs_.state().layers().unpacked(key, make, cancel);
}

std::vector<fs::path> Materialiser::import_stack(const std::vector<const Snapshot*>& stack,
                                                 const std::vector<WrittenLayer>& layers,
                                                 const base::CancelToken& cancel) {
    std::vector<base::Digest> keys = folder_keys(layers, 0);
    tree::Os os = stack.empty() ? tree::Os::Windows : stack.back()->os();
    read_missing(layers, 0, keys, os, cancel);
    std::vector<fs::path> folders;  // topmost first
    for (std::size_t i = 0; i < stack.size(); ++i) {
        auto make = [&](const fs::path& folder) {
            import(*stack[i]->top(), layers[i].diff_id, os, folders, folder, cancel);
        };
        folders.insert(folders.begin(), blobs_.state().layers().unpacked(keys[i], make, cancel));
    }
    return folders;
}

void Materialiser::import(const Layer& layer, const base::DiffId& diff_id, tree::Os os,
                          const std::vector<fs::path>& below, const fs::path& folder,
                          const base::CancelToken& cancel) {
    DeltaRef delta = layer.delta(os, cancel);
    std::unique_ptr<LayerSpool> spool = spool_of(diff_id, os, cancel);
    SpooledContents contents(*spool, diff_id, blobs_.contents());
    base::with_context([&] { return fmt::format("importing layer {}", diff_id.digest.string()); },
                       [&] {
                           storage_->import_layer(folder, {below, *delta, contents}, cancel);
                       });
}

std::unique_ptr<LayerSpool> Materialiser::spool_of(const base::DiffId& diff_id, tree::Os os,
                                                   const base::CancelToken& cancel) {
    if (std::unique_ptr<LayerSpool> spool = blobs_.take_spool(diff_id)) return spool;
    auto spool = std::make_unique<LayerSpool>(blobs_.state().temporary_directory());
    tree::LayerReadOptions options{.os = os};
    options.on_content = [&](const std::string&, std::uint64_t offset, std::uint64_t, base::Source& bytes) {
        spool->put(offset, bytes, cancel);
    };
    blobs_.stream(diff_id, std::move(options), cancel);
    return spool;
}

void Materialiser::make_layer(const tree::Tree& lower, const std::vector<fs::path>& below,
                              const tree::Tree& upper, const fs::path& folder,
                              const base::CancelToken& cancel) {
    if (!storage_->imports_layers()) return unpack(lower, upper, folder, cancel);
    tree::Delta delta = tree::diff(lower, upper);
    storage_->import_layer(folder, {below, delta, blobs_.contents()}, cancel);
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
