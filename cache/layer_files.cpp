#include "cache/layer_files.hpp"

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
#include "tree/layer_tar.hpp"

namespace mullion::cache {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxSize = std::size_t{1} << 30;

std::string_view raw(const base::Digest& digest) {
    return {reinterpret_cast<const char*>(digest.bytes().data()), base::Digest::kSize};
}

// `format` stands before the checksum, so that a file of another version is not taken for a damaged one.
template <typename Parse>
auto read_checked(const fs::path& file, std::string_view format, const Parse& parse)
    -> std::optional<decltype(parse(std::string_view()))> {
    std::optional<std::string> bytes = base::try_read_file(file, kMaxSize);
    if (!bytes) return {};
    std::string_view rest = *bytes;
    std::size_t header = format.size() + base::Digest::kSize;
    if (!rest.starts_with(format) || rest.size() < header) return {};
    std::string_view sum = rest.substr(format.size(), base::Digest::kSize);
    rest.remove_prefix(header);
    if (sum != raw(base::Digest::of(rest))) return {};
    try {
        return parse(rest);
    } catch (const base::Error& error) {
        base::log("cache").warn("{}: {}", file.string(), error.what());
        return {};
    }
}

void write_checked(const fs::path& file, std::string_view format, std::string_view body,
                   const fs::path& temporary) {
    base::PendingFile pending(temporary);
    pending.write(format);
    pending.write(raw(base::Digest::of(body)));
    pending.write(body);
    pending.publish(file);
}

}  // namespace

std::optional<tree::Delta> read_layer_index(const fs::path& file, const base::DiffId& diff_id) {
    return read_checked(file, tree::kLayerIndexFormat,
                        [&](std::string_view body) { return tree::parse_index(body, diff_id); });
}

std::optional<oci::SeekTable> read_seek_table(const fs::path& file) {
    return read_checked(file, oci::kSeekTableFormat,
                        [](std::string_view body) { return oci::SeekTable::parse(body); });
}

void write_layer_index(const fs::path& file, const tree::Delta& delta, const fs::path& temporary) {
    write_checked(file, tree::kLayerIndexFormat, tree::serialise_index(delta), temporary);
}

void write_seek_table(const fs::path& file, const oci::SeekTable& table, const fs::path& temporary) {
    write_checked(file, oci::kSeekTableFormat, table.serialise(), temporary);
}

}  // namespace mullion::cache
