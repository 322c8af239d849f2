#include <fcntl.h>
#include <sys/stat.h>
#include <cerrno>

#include "base/error.hpp"
#include "hcs/layer_file.hpp"

namespace mullion::hcs {
namespace {

struct stat look_at(const std::filesystem::path& path) {
    struct stat status;
    if (::lstat(path.c_str(), &status) != 0) throw base::system_error(errno, path.string());
    return status;
}

}  // namespace

void write_times(const std::filesystem::path& path, const tree::Metadata& metadata) {
    timespec times[2] = {metadata.accessed.to_timespec(), metadata.modified.to_timespec()};
    if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0) {
        throw base::system_error(errno, "setting the times of " + path.string());
    }
}

void read_times(const std::filesystem::path& path, tree::Metadata& metadata) {
    struct stat status = look_at(path);
    metadata.set_times(base::FileTime::from_timespec(status.st_mtim));
    metadata.accessed = base::FileTime::from_timespec(status.st_atim);
}

std::optional<std::uint64_t> hard_link_group(const std::filesystem::path& path) {
    struct stat status = look_at(path);
    if (status.st_nlink < 2) return std::nullopt;
    return status.st_ino;
}

}  // namespace mullion::hcs
