#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/error.hpp"
#include "tree/host_object.hpp"
#include "tree/name.hpp"

namespace mullion::tree {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::UniqueFd;

[[noreturn]] void throw_errno(int error, const fs::path& path) {
    throw base::system_error(error, fmt::format("cannot read {}", printable(path.string())));
}

const char* special_kind(mode_t mode) {
    if (S_ISSOCK(mode)) return "socket";
    if (S_ISFIFO(mode)) return "FIFO";
    return S_ISBLK(mode) || S_ISCHR(mode) ? "device" : "special file";
}

HostObject::Kind kind_of(mode_t mode) {
    if (S_ISDIR(mode)) return HostObject::Kind::Directory;
    if (S_ISREG(mode)) return HostObject::Kind::File;
    return S_ISLNK(mode) ? HostObject::Kind::Symlink : HostObject::Kind::Special;
}

StatIdentity identity_of(const struct stat& info) {
    auto nanoseconds = [](const timespec& time) {
        return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
    };
    return {static_cast<std::uint64_t>(info.st_dev), static_cast<std::uint64_t>(info.st_ino),
            static_cast<std::uint64_t>(info.st_size), nanoseconds(info.st_mtim), nanoseconds(info.st_ctim)};
}

HostObject object_of(const struct stat& info) {
    return {.kind = kind_of(info.st_mode),
            .special = special_kind(info.st_mode),
            .modified = base::FileTime::from_timespec(info.st_mtim),
            .mode = info.st_mode & 07777,
            .identity = identity_of(info)};
}

}  // namespace

struct OpenDirectory::Handle {
    fs::path path;
    UniqueFd fd;
};

OpenDirectory::OpenDirectory(const fs::path& path) : handle_(std::make_unique<Handle>()) {
    handle_->path = path;
    handle_->fd = UniqueFd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (handle_->fd) return;
    if (errno != ENOTDIR) throw_errno(errno, path);
    throw base::fail(ErrorCode::Invalid, "{} is not a directory", printable(path.string()));
}

OpenDirectory::OpenDirectory(std::unique_ptr<Handle> handle) : handle_(std::move(handle)) {}
OpenDirectory::~OpenDirectory() = default;
OpenDirectory::OpenDirectory(OpenDirectory&&) noexcept = default;

OpenDirectory OpenDirectory::open(const std::string& name) const {
    auto below = std::make_unique<Handle>();
    below->path = handle_->path / name;
    below->fd =
        UniqueFd(::openat(handle_->fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!below->fd) throw_errno(errno, below->path);
    return OpenDirectory(std::move(below));
}

HostObject OpenDirectory::self() const {
    struct stat info {};
    if (::fstat(handle_->fd.get(), &info) != 0) throw_errno(errno, handle_->path);
    return object_of(info);
}

std::vector<std::string> OpenDirectory::names() const {
    // A descriptor of its own: closedir() closes it.
    UniqueFd own(::openat(handle_->fd.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!own) throw_errno(errno, handle_->path);
    std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own.get()), ::closedir);
    if (!stream) throw_errno(errno, handle_->path);
    own.release();
    std::vector<std::string> names;
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());
        if (entry == nullptr && errno != 0) throw_errno(errno, handle_->path);
        if (entry == nullptr) return names;
        std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
}

HostObject OpenDirectory::look_at(const std::string& name) const {
    struct stat info {};
    if (::fstatat(handle_->fd.get(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
        throw_errno(errno, handle_->path / name);
    }
    return object_of(info);
}

std::string OpenDirectory::link_target(const std::string& name) const {
    std::string target(PATH_MAX, '\0');
    ssize_t length = ::readlinkat(handle_->fd.get(), name.c_str(), target.data(), target.size());
    if (length < 0) throw_errno(errno, handle_->path / name);
    target.resize(static_cast<std::size_t>(length));
    return target;
}

std::optional<UniqueFd> open_unless_link(const fs::path& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!fd && errno == ELOOP) return {};
    if (!fd) throw base::system_error(errno, fmt::format("cannot open {}", path.string()));
    return fd;
}

std::optional<StatIdentity> identity_of(const UniqueFd& fd) {
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) throw base::system_error(errno, "cannot look at an open file");
    if (!S_ISREG(info.st_mode)) return {};
    return identity_of(info);
}

StatIdentity stat_identity(const fs::path& path) {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) {
        throw base::system_error(errno, fmt::format("cannot read {}", path.string()));
    }
    return identity_of(info);
}

// For Windows several slashes at the beginning mean one; two backslashes would mean a server. What Windows
// would read otherwise is left to whoever puts the link into an image: not every link of a context is copied.
std::string to_image_target(std::string target, Os os) {
    if (os == Os::Linux) return target;
    if (target.find_first_of("\\:") != std::string::npos) {
        if (!target.starts_with('/')) target.insert(0, "./");
        return target;
    }
    if (target.starts_with('/')) target.erase(0, std::min(target.find_first_not_of('/'), target.size()) - 1);
    std::replace(target.begin(), target.end(), '/', '\\');
    return target;
}

}  // namespace mullion::tree
