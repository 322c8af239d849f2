#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "oci/archive_file.hpp"
#include "oci/compress.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;

constexpr std::uint64_t kMaxUnpacked = std::uint64_t{64} << 30;
constexpr std::size_t kChunk = 256 * 1024;

base::UniqueFd duplicate(const base::UniqueFd& fd) {
    base::UniqueFd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 0));
    if (!copy) throw base::system_error(errno, "cannot duplicate a file descriptor");
    return copy;
}

base::UniqueFd open_regular(const std::filesystem::path& path, std::uint64_t& size) {
    // O_NONBLOCK: a FIFO must be refused, not waited for.
    base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd) throw base::system_error(errno, fmt::format("cannot open {}", path.string()));
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) throw base::system_error(errno, path.string());
    if (!S_ISREG(info.st_mode)) throw base::fail(ErrorCode::Invalid, "{} is not a file", path.string());
    size = static_cast<std::uint64_t>(info.st_size);
    return fd;
}

std::string system_temporary() {
    std::error_code error;
    std::filesystem::path directory = std::filesystem::temp_directory_path(error);
    if (!error) return directory.string();
    throw base::system_error(error, "there is no directory for temporary files")
        .hint("set TMPDIR to a directory that exists");
}

base::UniqueFd open_nameless(const std::string& directory) {
    base::UniqueFd fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (fd) return fd;
    // Not every file system has O_TMPFILE.
    std::string name = directory + "/mullion-XXXXXX";
    fd = base::UniqueFd(::mkostemp(name.data(), O_CLOEXEC));
    if (!fd) throw base::system_error(errno, fmt::format("cannot create a temporary file in {}", directory));
    ::unlink(name.c_str());
    return fd;
}

bool is_compressed(const base::UniqueFd& fd) {
    std::array<char, 4> head{};
    ssize_t got = ::pread(fd.get(), head.data(), head.size(), 0);
    return got > 0 && detect_compression({head.data(), static_cast<std::size_t>(got)}) != Compression::None;
}

}  // namespace

ArchiveFile::ArchiveFile(const std::filesystem::path& path, const base::CancelToken& cancel,
                         const std::filesystem::path& temporary)
    : fd_(open_regular(path, size_)) {
    if (!is_compressed(fd_)) return;
    base::FileSource packed(duplicate(fd_), 0, size_);
    base::UniqueFd unpacked = open_nameless(temporary.empty() ? system_temporary() : temporary.string());
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
    return std::make_unique<base::FileSource>(duplicate(fd_), offset, length);
}

}  // namespace mullion::oci
