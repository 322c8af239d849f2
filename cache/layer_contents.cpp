#include "cache/layer_contents.hpp"

#include "base/error.hpp"
#include "base/file.hpp"

namespace mullion::cache {

std::unique_ptr<base::Source> LayerContents::open(const tree::Content& content,
                                                  const base::CancelToken& cancel) {
    const auto* range = std::get_if<tree::LayerRange>(&content.location());
    if (range == nullptr) return host_.open(content, cancel);
    LayerTar tar = tar_of_(range->diff_id, cancel);
    if (range->offset > tar.size || content.size() > tar.size - range->offset) {
        throw base::fail(base::ErrorCode::Corrupt, "layer {} has {} bytes, too few for {} at {}",
                         range->diff_id.digest.string(), tar.size, content.size(), range->offset);
    }
    return std::make_unique<base::FileSource>(base::open_read(tar.file), range->offset, content.size());
}

void LayerContents::on_digest(const tree::Content& content, const base::Digest& digest,
                              base::FileTime opened) {
    host_.on_digest(content, digest, opened);
}

}  // namespace mullion::cache
