// Contents of every location: layer ranges as their store opens them, the rest as tree::HostContent has it.
#pragma once

#include <functional>

#include "tree/content.hpp"

namespace mullion::cache {

// Thread-safe if `open_range` is.
class LayerContents final : public tree::ContentProvider {
  public:
    using OpenRange = std::function<std::unique_ptr<base::Source>(
        const tree::LayerRange&, const tree::Content&, const base::CancelToken&)>;
    LayerContents(OpenRange open_range, tree::StatCache& stats)
        : open_range_(std::move(open_range)), host_(&stats) {}

    std::unique_ptr<base::Source> open(const tree::Content& content,
                                       const base::CancelToken& cancel) override;
    void on_digest(const tree::Content& content, const base::Digest& digest, base::FileTime opened) override;

  private:
    OpenRange open_range_;
    tree::HostContent host_;
};

}  // namespace mullion::cache
