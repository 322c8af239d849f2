#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/error.hpp"
#include "base/file_calls.hpp"
#include "base/random_name.hpp"

namespace mullion::base {

void UniqueFd::reset() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

UniqueFd open_read(const fs::path& path) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) throw system_error(errno, fmt::format("cannot open {}", path.string()));
    return UniqueFd(fd);
}

UniqueFd duplicate(int fd) {
    UniqueFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!copy) throw system_error(errno, "cannot duplicate a file descriptor");
    return copy;
}

UniqueFd open_regular(const fs::path& path, Links links) {
    int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | (links == Links::Refuse ? O_NOFOLLOW : 0);
    UniqueFd fd(::open(path.c_str(), flags));
    if (!fd) throw system_error(errno, fmt::format("cannot open {}", path.string()));
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0)
        throw system_error(errno, fmt::format("cannot open {}", path.string()));
    if (!S_ISREG(info.st_mode)) throw fail(ErrorCode::Invalid, "{} is not a regular file", path.string());
    return fd;
}

UniqueFd open_nameless(const fs::path& directory) {
    UniqueFd fd(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (fd) return fd;
    // Not every file system has O_TMPFILE.
    fs::path path = directory / fmt::format("file-{}", random_name());
    fd = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd)
        throw system_error(errno, fmt::format("cannot create a temporary file in {}", directory.string()));
    ::unlink(path.c_str());
    return fd;
}

void write_all(int fd, std::string_view data, std::string_view what) {
    while (!data.empty()) {
        ssize_t done = ::write(fd, data.data(), data.size());
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) throw system_error(errno, fmt::format("cannot write {}", what));
        data.remove_prefix(static_cast<std::size_t>(done));
    }
}

std::size_t read_at(int fd, char* buffer, std::size_t size, std::uint64_t offset, std::string_view name) {
    for (;;) {
        ssize_t got = ::pread(fd, buffer, size, static_cast<off_t>(offset));
        if (got < 0 && errno == EINTR) continue;
        // Pipes and sockets cannot seek.
        if (got < 0 && errno == ESPIPE) got = ::read(fd, buffer, size);
        if (got < 0) throw system_error(errno, fmt::format("cannot read {}", name));
        return static_cast<std::size_t>(got);
    }
}

std::optional<std::uint64_t> seekable_size(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return {};
    return static_cast<std::uint64_t>(info.st_size);
}

std::string random_name() {
    std::uint64_t value = 0;
    while (::getrandom(&value, sizeof value, 0) != sizeof value) {
    }
    return fmt::format("{:016x}", value);
}

void sync_to_disk(const fs::path& path) {
    UniqueFd fd = open_read(path);
    if (::fsync(fd.get()) != 0) throw system_error(errno, fmt::format("cannot write {}", path.string()));
}

namespace {

const char* kind_name(mode_t mode) {
    if (S_ISDIR(mode)) return "directory";
    if (S_ISFIFO(mode)) return "FIFO";
    if (S_ISSOCK(mode)) return "socket";
    return S_ISBLK(mode) || S_ISCHR(mode) ? "device" : "special file";
}

// Replacing a device or a FIFO would break it for everybody else; writing to it could not be atomic.
void check_replaceable(const fs::path& path) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) return;
        throw system_error(errno, fmt::format("cannot write {}", path.string()));
    }
    if (S_ISREG(info.st_mode)) return;
    Error error = fail(ErrorCode::Invalid, "cannot write {}: it is a {}, not a file", path.string(),
                       kind_name(info.st_mode));
    if (S_ISDIR(info.st_mode)) throw error;
    throw error.hint("name a file, or - for standard output where the option allows it");
}

// Where the symlinks at `path`, if any, lead; nothing need be there.
fs::path end_of_links(fs::path path) {
    constexpr int kMaxLinks = 40;  // as Linux has it
    const fs::path named = path;
    for (int i = 0; i < kMaxLinks; ++i) {
        std::error_code code;
        if (!fs::is_symlink(fs::symlink_status(path, code))) return path;
        fs::path target = fs::read_symlink(path, code);
        if (code) throw system_error(code, fmt::format("cannot write {}", named.string()));
        path = path.parent_path() / target;
    }
    throw system_error(ELOOP, fmt::format("cannot write {}", named.string()));
}

}  // namespace

namespace calls {

std::optional<UniqueFd> try_open_read(const fs::path& path) {
    UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd && (errno == ENOENT || errno == ENOTDIR)) return {};
    if (!fd) throw system_error(errno, fmt::format("cannot open {}", path.string()));
    return fd;
}

UniqueFd create(const fs::path& path, bool is_private, const fs::path& shown) {
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, is_private ? 0600 : 0644));
    if (!fd) throw system_error(errno, fmt::format("cannot create {}", shown.string()));
    return fd;
}

void publish(UniqueFd fd, const fs::path& temporary, const fs::path& target, bool durable) {
    bool good = !durable || ::fsync(fd.get()) == 0;
    // A network file system may tell only on close that the disk is full.
    good = good && ::close(fd.release()) == 0 && ::rename(temporary.c_str(), target.c_str()) == 0;
    if (!good) throw system_error(errno, fmt::format("cannot write {}", target.string()));
    if (durable) sync_to_disk(target.has_parent_path() ? target.parent_path() : fs::path("."));
}

void remove_file(const fs::path& path) {
    ::unlink(path.c_str());
}

void make_directory(const fs::path& path) {
    if (::mkdir(path.c_str(), 0755) == 0) return;
    throw system_error(errno, fmt::format("cannot create {}", path.string()));
}

fs::path replaceable(const fs::path& path) {
    check_replaceable(path);
    return end_of_links(path);
}

UniqueFd open_lock(const fs::path& path) {
    if (path.has_parent_path()) make_directories(path.parent_path());
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd) throw system_error(errno, fmt::format("cannot open lock {}", path.string()));
    return fd;
}

bool lock(int fd, FileLock::Mode mode, bool wait, const fs::path& path) {
    int operation = (mode == FileLock::Mode::Shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB);
    while (::flock(fd, operation) != 0) {
        if (errno == EWOULDBLOCK) return false;
        if (errno != EINTR) throw system_error(errno, fmt::format("cannot lock {}", path.string()));
    }
    return true;
}

void unlock(int fd) {
    ::flock(fd, LOCK_UN);
}

}  // namespace calls
}  // namespace mullion::base
