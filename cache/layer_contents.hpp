// Contents of every location: layer ranges from files, the rest as tree::HostContent has it.
#pragma once

#include <filesystem>
#include <functional>

#include "tree/content.hpp"

namespace mullion::cache {

// An uncompressed layer as a file.
struct LayerTar {
    std::filesystem::path file;
    std::uint64_t size = 0;
};

// Thread-safe if `tar_of` is.
class LayerContents final : public tree::ContentProvider {
  public:
    using TarOf = std::function<LayerTar(const base::DiffId&, const base::CancelToken&)>;
    LayerContents(TarOf tar_of, tree::StatCache& stats) : tar_of_(std::move(tar_of)), host_(&stats) {}

    std::unique_ptr<base::Source> open(const tree::Content& content,
                                       const base::CancelToken& cancel) override;
    void on_digest(const tree::Content& content, const base::Digest& digest, base::FileTime opened) override;

  private:
    TarOf tar_of_;
    tree::HostContent host_;
};

}  // namespace mullion::cache
