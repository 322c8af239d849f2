#include "oci/archive_file.hpp"

#include <array>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "oci/compress.hpp"

namespace mullion::oci {
namespace {

constexpr std::uint64_t kMaxUnpacked = std::uint64_t{64} << 30;
constexpr std::size_t kChunk = 256 * 1024;

std::filesystem::path system_temporary() {
    std::error_code error;
    std::filesystem::path directory = std::filesystem::temp_directory_path(error);
    if (!error) return directory;
    throw base::system_error(error, "there is no directory for temporary files")
        .hint("set TMPDIR to a directory that exists");
}

bool is_compressed(const base::UniqueFd& fd) {
    std::array<char, 4> head{};
    std::size_t got = base::read_at(fd.get(), head.data(), head.size(), 0, "an archive");
    return got > 0 && detect_compression({head.data(), got}) != Compression::None;
}

}  // namespace

ArchiveFile::ArchiveFile(const std::filesystem::path& path, const base::CancelToken& cancel,
                         const std::filesystem::path& temporary)
    : fd_(base::open_regular(path)), size_(*base::seekable_size(fd_.get())) {
    if (!is_compressed(fd_)) return;
    base::FileSource packed(base::duplicate(fd_.get()), 0, size_);
    base::UniqueFd unpacked = base::open_nameless(temporary.empty() ? system_temporary() : temporary);
    base::FdSink sink(unpacked.get(), "a temporary file");
    std::unique_ptr<base::Source> plain = decompress(packed, kMaxUnpacked);
    std::vector<char> buffer(kChunk);
    size_ = 0;
    while (std::size_t got = plain->read(buffer.data(), buffer.size())) {
        cancel.check();
        sink.write({buffer.data(), got});
        size_ += got;
    }
    fd_ = std::move(unpacked);
}

std::unique_ptr<base::Source> ArchiveFile::range(std::uint64_t offset, std::uint64_t length) const {
    return std::make_unique<base::FileSource>(base::duplicate(fd_.get()), offset, length);
}

}  // namespace mullion::oci
