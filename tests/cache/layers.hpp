// Layer blobs for tests, written by the engine's own codec.
#pragma once

#include <string>

#include "cache/state.hpp"
#include "oci/compress.hpp"
#include "tree/layer_tar.hpp"

namespace mullion::cache::testing {

struct Layer {
    base::DiffId diff_id;
    std::string tar;
    std::string blob;
    oci::Descriptor descriptor;
};

// One layer with the files `path` -> `data` in C:\.
inline Layer make_layer(const std::vector<std::pair<std::string, std::string>>& files,
                        oci::Compression compression = oci::Compression::Gzip) {
    tree::Tree empty(tree::Os::Windows);
    tree::TreeEditor editor(empty);
    for (const auto& [path, data] : files) {
        tree::Node node;
        node.kind = tree::NodeKind::File;
        node.content = tree::Content::inline_bytes(data);
        editor.put(path, std::move(node));
    }
    tree::HostContent contents;
    base::StringSink tar;
    tree::write_layer(tree::diff(empty, editor.finish()), contents, tar, {});
    base::StringSink blob;
    auto compressor = oci::compress_to(blob, compression);
    compressor->write(tar.data());
    compressor->finish();
    oci::Descriptor descriptor{.media_type = std::string(oci::layer_media_type(compression)),
                               .digest = base::Digest::of(blob.data()),
                               .size = blob.data().size()};
    return {{base::Digest::of(tar.data())}, tar.data(), blob.data(), descriptor};
}

inline void put(State& state, const Layer& layer) {
    state.content().put_bytes(layer.blob);
    state.layers().add(layer.diff_id, layer.descriptor);
}

// "path=content" of every file, in the layer's order.
inline std::vector<std::string> files_of(State& state, const tree::Delta& delta) {
    std::vector<std::string> files;
    for (const tree::Change& change : delta.changes) {
        const auto* upsert = std::get_if<tree::Upsert>(&change);
        if (upsert == nullptr || !upsert->node->content) continue;
        auto source = state.layers().contents().open(*upsert->node->content, {});
        files.push_back(upsert->path + "=" + source->read_all(1 << 20, "file"));
    }
    return files;
}

}  // namespace mullion::cache::testing
