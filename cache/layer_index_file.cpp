#include "cache/layer_index_file.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "tree/layer_tar.hpp"

namespace mullion::cache {
namespace {

// Before the checksum, so that an index of another version is not taken for a damaged one.
constexpr std::string_view kMagic = tree::kLayerIndexFormat;
constexpr std::size_t kMaxSize = std::size_t{1} << 30;

std::string_view raw(const base::Digest& digest) {
    return {reinterpret_cast<const char*>(digest.bytes().data()), base::Digest::kSize};
}

}  // namespace

std::optional<tree::Delta> read_layer_index(const std::filesystem::path& file, const base::DiffId& diff_id) {
    std::optional<std::string> bytes = base::try_read_file(file, kMaxSize);
    if (!bytes) return {};
    std::string_view rest = *bytes;
    constexpr std::size_t kHeader = kMagic.size() + base::Digest::kSize;
    if (rest.substr(0, kMagic.size()) != kMagic || rest.size() < kHeader) return {};
    std::string_view sum = rest.substr(kMagic.size(), base::Digest::kSize);
    rest.remove_prefix(kHeader);
    if (sum != raw(base::Digest::of(rest))) return {};
    try {
        return tree::parse_index(rest, diff_id);
    } catch (const base::Error& error) {
        base::log("cache").warn("{}: {}", file.string(), error.what());
        return {};
    }
}

void write_layer_index(const std::filesystem::path& file, const tree::Delta& delta,
                       const std::filesystem::path& temporary) {
    std::string body = tree::serialise_index(delta);
    base::PendingFile pending(temporary);
    pending.write(kMagic);
    pending.write(raw(base::Digest::of(body)));
    pending.write(body);
    pending.publish(file);
}

}  // namespace mullion::cache
