#include "worker/layer_spool.hpp"

#include <string>

namespace mullion::worker {

LayerSpool::LayerSpool(const std::filesystem::path& parent)
    : directory_(parent, "layer"), files_(directory_.path()) {}

void LayerSpool::put(std::uint64_t offset, base::Source& bytes, const base::CancelToken& cancel) {
    files_.make_file(std::to_string(offset), bytes, {}, 0600, cancel);
}

bool LayerSpool::move(std::uint64_t offset, HostDirectory& to, std::string_view path, base::FileTime modified,
                      std::uint32_t mode) {
    return to.adopt_file(files_, std::to_string(offset), path, modified, mode);
}

std::unique_ptr<base::Source> LayerSpool::open(std::uint64_t offset) const {
    std::filesystem::path path = directory_.path() / std::to_string(offset);
    if (!std::filesystem::exists(path)) return nullptr;
    return std::make_unique<base::FileSource>(path);
}

}  // namespace mullion::worker
