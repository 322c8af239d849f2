#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/log.hpp"
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

std::string read_file(const fs::path& path, std::size_t limit) {
    FileSource source(path);
    return source.read_all(limit, path.string());
}

std::optional<std::string> try_read_file(const fs::path& path, std::size_t limit) {
    int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR)) return {};
    if (fd < 0) throw system_error(errno, fmt::format("cannot open {}", path.string()));
    FileSource source(UniqueFd(fd), 0, std::numeric_limits<std::uint64_t>::max());
    return source.read_all(limit, path.string());
}

void write_file_atomic(const fs::path& path, std::string_view data, bool is_private) {
    AtomicFile file(path, false, is_private);
    file.write(data);
    file.finish();
}

void write_all(int fd, std::string_view data, std::string_view what) {
    while (!data.empty()) {
        ssize_t done = ::write(fd, data.data(), data.size());
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) throw system_error(errno, fmt::format("cannot write {}", what));
        data.remove_prefix(static_cast<std::size_t>(done));
    }
}

void make_directories(const fs::path& path) {
    // libstdc++ 12 reports a directory on the way that somebody else made meanwhile; going on is right.
    constexpr int kTries = 16;
    std::error_code code;
    for (int i = 0; i < kTries; ++i) {
        fs::create_directories(path, code);
        std::error_code ignored;
        if (!code || fs::is_directory(path, ignored)) return;
        if (code != std::errc::file_exists) break;
    }
    throw system_error(code.value(), fmt::format("cannot create {}", path.string()));
}

std::vector<std::string> list_directory(const fs::path& path) {
    std::vector<std::string> names;
    std::error_code code;
    fs::directory_iterator at(path, code);
    for (; !code && at != fs::directory_iterator(); at.increment(code)) {
        names.push_back(at->path().filename().string());
    }
    if (code && code != std::errc::no_such_file_or_directory) {
        throw system_error(code.value(), fmt::format("cannot read {}", path.string()));
    }
    std::sort(names.begin(), names.end());
    return names;
}

FileSource::FileSource(const fs::path& path)
    : fd_(open_read(path)), end_(std::numeric_limits<std::uint64_t>::max()), name_(path.string()) {}

FileSource::FileSource(UniqueFd fd, std::uint64_t offset, std::uint64_t length)
    : fd_(std::move(fd)),
      offset_(offset),
      end_(length > std::numeric_limits<std::uint64_t>::max() - offset
               ? std::numeric_limits<std::uint64_t>::max()
               : offset + length) {}

std::size_t FileSource::read(char* buffer, std::size_t size) {
    auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size, end_ - offset_));
    if (part == 0) return 0;
    for (;;) {
        ssize_t got = ::pread(fd_.get(), buffer, part, static_cast<off_t>(offset_));
        if (got < 0 && errno == EINTR) continue;
        // Pipes and sockets cannot seek.
        if (got < 0 && errno == ESPIPE) got = ::read(fd_.get(), buffer, part);
        if (got < 0) throw system_error(errno, fmt::format("cannot read {}", name_));
        offset_ += static_cast<std::uint64_t>(got);
        return static_cast<std::size_t>(got);
    }
}

void FileSource::skip(std::uint64_t size, std::string_view what) {
    struct stat info {};
    bool seekable = ::fstat(fd_.get(), &info) == 0 && S_ISREG(info.st_mode);
    if (!seekable) return Source::skip(size, what);
    std::uint64_t end = std::min(end_, static_cast<std::uint64_t>(info.st_size));
    if (offset_ > end || size > end - offset_) throw fail(ErrorCode::Corrupt, "unexpected end of {}", what);
    offset_ += size;
}

std::string random_name() {
    std::uint64_t value = 0;
    while (::getrandom(&value, sizeof value, 0) != sizeof value) {
    }
    return fmt::format("{:016x}", value);
}

namespace {

// Makes the file at `temporary` visible as `target`.
void publish_file(UniqueFd fd, const fs::path& temporary, const fs::path& target, bool durable) {
    bool good = !durable || ::fsync(fd.get()) == 0;
    // A network file system may tell only on close that the disk is full.
    good = good && ::close(fd.release()) == 0 && ::rename(temporary.c_str(), target.c_str()) == 0;
    if (!good) throw system_error(errno, fmt::format("cannot write {}", target.string()));
    if (durable) sync_to_disk(target.has_parent_path() ? target.parent_path() : fs::path("."));
}

}  // namespace

void sync_to_disk(const fs::path& path) {
    UniqueFd fd = open_read(path);
    if (::fsync(fd.get()) != 0) throw system_error(errno, fmt::format("cannot write {}", path.string()));
}

PendingFile::PendingFile(const fs::path& directory)
    : temporary_(directory / fmt::format("file-{}", random_name())),
      fd_(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644)) {
    if (!fd_) throw system_error(errno, fmt::format("cannot create {}", temporary_.string()));
}

PendingFile::~PendingFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void PendingFile::write(std::string_view data) {
    write_all(fd_.get(), data, temporary_.string());
}

std::unique_ptr<Source> PendingFile::written() const {
    return std::make_unique<FileSource>(temporary_);
}

void PendingFile::publish(const fs::path& target, bool durable) {
    publish_file(std::move(fd_), temporary_, target, durable);
    temporary_.clear();
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
        if (code) throw system_error(code.value(), fmt::format("cannot write {}", named.string()));
        path = path.parent_path() / target;
    }
    throw system_error(ELOOP, fmt::format("cannot write {}", named.string()));
}

}  // namespace

AtomicFile::AtomicFile(fs::path path, bool durable, bool is_private) : durable_(durable) {
    check_replaceable(path);
    path_ = end_of_links(std::move(path));
    if (path_.has_parent_path()) make_directories(path_.parent_path());
    temporary_ = path_.parent_path() / fmt::format(".{}.{}.tmp", path_.filename().string(), random_name());
    fd_ = UniqueFd(
        ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, is_private ? 0600 : 0644));
    if (!fd_) throw system_error(errno, fmt::format("cannot create {}", path_.string()));
}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::string_view data) {
    write_all(fd_.get(), data, path_.string());
}

void AtomicFile::finish() {
    publish_file(std::move(fd_), temporary_, path_, durable_);
    temporary_.clear();
}

TempDir::TempDir(const fs::path& parent, std::string_view prefix) {
    make_directories(parent);
    path_ = parent / fmt::format("{}-{}", prefix, random_name());
    if (::mkdir(path_.c_str(), 0755) != 0) {
        throw system_error(errno, fmt::format("cannot create {}", path_.string()));
    }
}

TempDir::~TempDir() {
    if (path_.empty()) return;
    try {
        remove_tree(path_);
    } catch (const std::exception& error) {
        log("base").warn("cannot remove {}: {}", path_.string(), error.what());
    }
}

namespace {

UniqueFd open_lock(const fs::path& path) {
    if (path.has_parent_path()) make_directories(path.parent_path());
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
    if (!fd) throw system_error(errno, fmt::format("cannot open lock {}", path.string()));
    return fd;
}

int lock_operation(FileLock::Mode mode) {
    return mode == FileLock::Mode::Shared ? LOCK_SH : LOCK_EX;
}

}  // namespace

FileLock::FileLock(const fs::path& path, Mode mode) : fd_(open_lock(path)) {
    while (::flock(fd_.get(), lock_operation(mode)) != 0) {
        if (errno != EINTR) throw system_error(errno, fmt::format("cannot lock {}", path.string()));
    }
}

FileLock::FileLock(const fs::path& path, Mode mode, const CancelToken& cancel) : fd_(open_lock(path)) {
    // flock cannot wait for two things, and a signal would need a thread of its own.
    constexpr std::chrono::milliseconds kLongest{50};
    std::chrono::milliseconds pause{1};
    while (::flock(fd_.get(), lock_operation(mode) | LOCK_NB) != 0) {
        if (errno != EINTR && errno != EWOULDBLOCK) {
            throw system_error(errno, fmt::format("cannot lock {}", path.string()));
        }
        if (cancel.wait_for(pause)) cancel.check();
        pause = std::min(pause * 2, kLongest);
    }
}

FileLock::~FileLock() {
    if (fd_) ::flock(fd_.get(), LOCK_UN);
}

std::optional<FileLock> FileLock::try_lock(const fs::path& path, Mode mode) {
    UniqueFd fd = open_lock(path);
    while (::flock(fd.get(), lock_operation(mode) | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return {};
        if (errno != EINTR) throw system_error(errno, fmt::format("cannot lock {}", path.string()));
    }
    return FileLock(std::move(fd));
}

}  // namespace mullion::base
