// Where layers lie in a state.
#pragma once

#include <filesystem>
#include <string_view>

#include "base/digest.hpp"

namespace mullion::cache {

struct LayerPaths {
    explicit LayerPaths(const std::filesystem::path& state)
        : index(state / "index" / "sha256"),
          seek(state / "index" / "seek"),
          layers(state / "layers"),
          tars(layers / "tar") {}

    std::filesystem::path index_of(const base::DiffId& diff_id) const { return index / diff_id.digest.hex(); }
    std::filesystem::path seek_of(const base::Digest& blob) const { return seek / blob.hex(); }
    std::filesystem::path tar_of(const base::DiffId& diff_id) const { return tars / diff_id.digest.hex(); }
    std::filesystem::path unpacked(const base::Digest& key) const { return layers / key.hex(); }
    // Has an entry of `layers` the name of an unpacked layer?
    static bool is_unpacked(std::string_view name) { return name.size() == 2 * base::Digest::kSize; }
    // The key of the folder that holds the topmost layer of the stack `chain`; `whole`: all of it, merged.
    static base::Digest folder_key(const base::ChainId& chain, bool whole) {
        return base::Hasher()
            .field(whole ? "layer folder 1, whole" : "layer folder 1")
            .field(chain.digest.string())
            .finish();
    }

    std::filesystem::path index;
    std::filesystem::path seek;
    std::filesystem::path layers;
    std::filesystem::path tars;
};

}  // namespace mullion::cache
