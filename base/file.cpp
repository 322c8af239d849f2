#include "base/file.hpp"

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/error.hpp"
#include "base/file_calls.hpp"
#include "base/log.hpp"
#include "base/random_name.hpp"

namespace mullion::base {
namespace {

constexpr std::uint64_t kToTheEnd = std::numeric_limits<std::uint64_t>::max();

}  // namespace

std::string read_file(const fs::path& path, std::size_t limit) {
    FileSource source(path);
    return source.read_all(limit, path.string());
}

std::optional<std::string> try_read_file(const fs::path& path, std::size_t limit) {
    std::optional<UniqueFd> fd = calls::try_open_read(path);
    if (!fd) return {};
    FileSource source(std::move(*fd), 0, kToTheEnd);
    return source.read_all(limit, path.string());
}

void write_file_atomic(const fs::path& path, std::string_view data, bool is_private) {
    AtomicFile file(path, false, is_private);
    file.write(data);
    file.finish();
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
    throw system_error(code, fmt::format("cannot create {}", path.string()));
}

std::vector<std::string> list_directory(const fs::path& path) {
    std::vector<std::string> names;
    std::error_code code;
    fs::directory_iterator at(path, code);
    for (; !code && at != fs::directory_iterator(); at.increment(code)) {
        names.push_back(at->path().filename().string());
    }
    if (code && code != std::errc::no_such_file_or_directory) {
        throw system_error(code, fmt::format("cannot read {}", path.string()));
    }
    std::sort(names.begin(), names.end());
    return names;
}

FileSource::FileSource(const fs::path& path) : fd_(open_read(path)), end_(kToTheEnd), name_(path.string()) {}

FileSource::FileSource(UniqueFd fd, std::uint64_t offset, std::uint64_t length)
    : fd_(std::move(fd)), offset_(offset), end_(length > kToTheEnd - offset ? kToTheEnd : offset + length) {}

std::size_t FileSource::read(char* buffer, std::size_t size) {
    auto part = static_cast<std::size_t>(std::min<std::uint64_t>(size, end_ - offset_));
    if (part == 0) return 0;
    std::size_t got = read_at(fd_.get(), buffer, part, offset_, name_);
    offset_ += got;
    return got;
}

void FileSource::skip(std::uint64_t size, std::string_view what) {
    std::optional<std::uint64_t> file_size = seekable_size(fd_.get());
    if (!file_size) return Source::skip(size, what);
    std::uint64_t end = std::min(end_, *file_size);
    if (offset_ > end || size > end - offset_) throw fail(ErrorCode::Corrupt, "unexpected end of {}", what);
    offset_ += size;
}

PendingFile::PendingFile(const fs::path& directory)
    : temporary_(directory / fmt::format("file-{}", random_name())),
      fd_(calls::create(temporary_, false, temporary_)) {}

PendingFile::~PendingFile() {
    fd_.reset();
    if (!temporary_.empty()) calls::remove_file(temporary_);
}

void PendingFile::write(std::string_view data) {
    write_all(fd_.get(), data, temporary_.string());
}

std::unique_ptr<Source> PendingFile::written() const {
    return std::make_unique<FileSource>(temporary_);
}

void PendingFile::publish(const fs::path& target, bool durable) {
    calls::publish(std::move(fd_), temporary_, target, durable);
    temporary_.clear();
}

AtomicFile::AtomicFile(fs::path path, bool durable, bool is_private)
    : path_(calls::replaceable(path)), durable_(durable) {
    if (path_.has_parent_path()) make_directories(path_.parent_path());
    temporary_ = path_;
    temporary_.replace_filename(".");
    temporary_ += path_.filename();
    temporary_ += fmt::format(".{}.tmp", random_name());
    fd_ = calls::create(temporary_, is_private, path_);
}

AtomicFile::~AtomicFile() {
    fd_.reset();
    if (!temporary_.empty()) calls::remove_file(temporary_);
}

void AtomicFile::write(std::string_view data) {
    write_all(fd_.get(), data, path_.string());
}

void AtomicFile::finish() {
    calls::publish(std::move(fd_), temporary_, path_, durable_);
    temporary_.clear();
}

TempDir::TempDir(const fs::path& parent, std::string_view prefix) {
    make_directories(parent);
    path_ = parent / fmt::format("{}-{}", prefix, random_name());
    calls::make_directory(path_);
}

TempDir::~TempDir() {
    if (path_.empty()) return;
    try {
        remove_tree(path_);
    } catch (const std::exception& error) {
        log("base").warn("cannot remove {}: {}", path_.string(), error.what());
    }
}

FileLock::FileLock(const fs::path& path, Mode mode) : fd_(calls::open_lock(path)) {
    calls::lock(fd_.get(), mode, true, path);
}

FileLock::FileLock(const fs::path& path, Mode mode, const CancelToken& cancel) : fd_(calls::open_lock(path)) {
    // A lock cannot be waited for together with anything else.
    constexpr std::chrono::milliseconds kLongest{50};
    std::chrono::milliseconds pause{1};
    while (!calls::lock(fd_.get(), mode, false, path)) {
        if (cancel.wait_for(pause)) cancel.check();
        pause = std::min(pause * 2, kLongest);
    }
}

FileLock::~FileLock() {
    if (fd_) calls::unlock(fd_.get());
}

std::optional<FileLock> FileLock::try_lock(const fs::path& path, Mode mode) {
    UniqueFd fd = calls::open_lock(path);
    if (!calls::lock(fd.get(), mode, false, path)) return {};
    return FileLock(std::move(fd));
}

}  // namespace mullion::base
