#include "cache/layer_contents.hpp"

namespace mullion::cache {

std::unique_ptr<base::Source> LayerContents::open(const tree::Content& content,
                                                  const base::CancelToken& cancel) {
    const auto* range = std::get_if<tree::LayerRange>(&content.location());
    return range == nullptr ? host_.open(content, cancel) : open_range_(*range, content, cancel);
}

void LayerContents::on_digest(const tree::Content& content, const base::Digest& digest,
                              base::FileTime opened) {
    host_.on_digest(content, digest, opened);
}

}  // namespace mullion::cache
