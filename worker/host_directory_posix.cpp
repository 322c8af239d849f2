#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/copy.hpp"
#include "base/error.hpp"
#include "base/file.hpp"
#include "base/handle.hpp"
#include "tree/name.hpp"
#include "worker/host_directory.hpp"

namespace mullion::worker {
namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

std::string name_of(std::string_view path) {
    return std::string(tree::base_name(path));
}

[[noreturn]] void throw_errno(int error, const char* doing, std::string_view path) {
    throw base::system_error(error, fmt::format("{} {}", doing, tree::printable(path)));
}

// No such change (UTIME_OMIT) to the access time.
std::array<timespec, 2> write_time(base::FileTime modified) {
    return {timespec{0, UTIME_OMIT}, modified.to_timespec()};
}

void check_names(std::string_view path) {
    for (std::string_view name : tree::split(path)) {
        if (name.empty() || name == "." || name == ".." || name.find('\0') != std::string_view::npos) {
            throw base::fail(base::ErrorCode::Invalid, "\"{}\" is no path inside a directory",
                             tree::printable(path));
        }
    }
}

}  // namespace

struct HostDirectory::State {
    base::UniqueFd root;
    std::string parent_path;
    base::UniqueFd parent_fd;

    base::UniqueFd open_directory(std::string_view path) const {
        check_names(path);
        base::UniqueFd at = base::duplicate(root.get());
        for (std::string_view name : tree::split(path)) {
            at = base::UniqueFd(::openat(at.get(), std::string(name).c_str(), kOpenDirectory));
            if (!at) throw_errno(errno, "opening", path);
        }
        return at;
    }

    // The directory that holds `path`, opened name by name; the last one stays open.
    int parent(std::string_view path) {
        check_names(path);
        std::string_view directory = tree::parent_of(path);
        if (!parent_fd || parent_path != directory) {
            parent_fd = open_directory(directory);
            parent_path = directory;
        }
        return parent_fd.get();
    }
};

HostDirectory::HostDirectory(const std::filesystem::path& root) : state_(std::make_unique<State>()) {
    state_->root = base::UniqueFd(::open(root.c_str(), kOpenDirectory));
    if (!state_->root) throw_errno(errno, "opening", root.string());
}

HostDirectory::~HostDirectory() = default;

void HostDirectory::make_directory(std::string_view path) {
    if (::mkdirat(state_->parent(path), name_of(path).c_str(), 0755) != 0)
        throw_errno(errno, "creating", path);
}

void HostDirectory::make_file(std::string_view path, base::Source& bytes, base::FileTime modified,
                              std::uint32_t mode, const base::CancelToken& cancel) {
    base::UniqueFd fd(::openat(state_->parent(path), name_of(path).c_str(),
                               O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!fd) throw_errno(errno, "creating", path);
    base::FdSink sink(fd.get(), "writing " + tree::printable(path));
    base::copy(bytes, sink, cancel);
    if (::fchmod(fd.get(), mode) != 0) throw_errno(errno, "setting the mode of", path);
    if (::futimens(fd.get(), write_time(modified).data()) != 0)
        throw_errno(errno, "setting the time of", path);
}

bool HostDirectory::adopt_file(HostDirectory& from, std::string_view existing, std::string_view path,
                               base::FileTime modified, std::uint32_t mode) {
    int directory = state_->parent(path);
    std::string name = name_of(path);
    if (::renameat2(from.state_->parent(existing), name_of(existing).c_str(), directory, name.c_str(),
                    RENAME_NOREPLACE) != 0) {
        if (errno == ENOENT || errno == EXDEV) return false;
        throw_errno(errno, "creating", path);
    }
    if (::utimensat(directory, name.c_str(), write_time(modified).data(), AT_SYMLINK_NOFOLLOW) != 0) {
        throw_errno(errno, "setting the time of", path);
    }
    if (::fchmodat(directory, name.c_str(), mode, 0) != 0) throw_errno(errno, "setting the mode of", path);
    return true;
}

void HostDirectory::make_symlink(std::string_view path, const std::string& target) {
    if (::symlinkat(target.c_str(), state_->parent(path), name_of(path).c_str()) != 0) {
        throw_errno(errno, "creating", path);
    }
}

void HostDirectory::make_hard_link(std::string_view existing, std::string_view path) {
    base::UniqueFd from = state_->open_directory(tree::parent_of(existing));
    if (::linkat(from.get(), name_of(existing).c_str(), state_->parent(path), name_of(path).c_str(), 0) !=
        0) {
        throw_errno(errno, "creating", path);
    }
}

void HostDirectory::finish_directory(std::string_view path, base::FileTime modified, std::uint32_t mode) {
    base::UniqueFd directory = state_->open_directory(path);
    if (::fchmod(directory.get(), mode) != 0) throw_errno(errno, "setting the mode of", path);
    if (::futimens(directory.get(), write_time(modified).data()) != 0) {
        throw_errno(errno, "setting the time of", path);
    }
}

}  // namespace mullion::worker
