#include "worker/archive_probe.hpp"

#include <array>

#include "base/error.hpp"
#include "oci/compress.hpp"
#include "tree/name.hpp"

namespace mullion::worker {
namespace {

constexpr std::size_t kTarBlock = 512;
constexpr std::size_t kMagicOffset = 257;
constexpr std::uint64_t kProbeLimit = std::uint64_t{1} << 40;

// Up to a tar block; fewer bytes only at the end.
std::string read_head(base::Source& source) {
    std::array<char, kTarBlock> buffer{};
    std::size_t size = 0;
    while (size < buffer.size()) {
        std::size_t got = source.read(buffer.data() + size, buffer.size() - size);
        if (got == 0) break;
        size += got;
    }
    return {buffer.data(), size};
}

bool is_tar(std::string_view head) {
    return head.size() == kTarBlock && head.substr(kMagicOffset, 5) == "ustar";
}

// bzip2 and xz cannot be looked into here: what carries their mark is taken for an archive.
bool is_opaque_archive(std::string_view head) {
    return head.starts_with("BZh") || head.starts_with(std::string_view("\xFD"
                                                                        "7zXZ\0",
                                                                        6));
}

bool is_compressed_tar(const tree::Content& content, tree::ContentProvider& contents,
                       const base::CancelToken& cancel) {
    try {
        auto raw = contents.open(content, cancel);
        return is_tar(read_head(*oci::decompress(*raw, kProbeLimit)));
    } catch (const base::Error& error) {
        if (error.code() != base::ErrorCode::Corrupt) throw;
        return false;  // begins like a compressed file, but is none
    }
}

}  // namespace

void refuse_archive(std::string_view path, const tree::Content& content, tree::ContentProvider& contents,
                    const base::CancelToken& cancel) {
    std::string head = read_head(*contents.open(content, cancel));
    bool archive = is_tar(head) || is_opaque_archive(head);
    if (!archive && oci::detect_compression(head) != oci::Compression::None) {
        archive = is_compressed_tar(content, contents, cancel);
    }
    if (!archive) return;
    throw base::fail(base::ErrorCode::Unsupported, "ADD \"{}\": unpacking archives is not built yet",
                     tree::printable(path))
        .hint("copy it as it is with COPY (or ADD --unpack=false), or unpack it before the build");
}

}  // namespace mullion::worker
