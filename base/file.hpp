// Files on the host. Everything written for keeps is atomic: temporary name, then rename.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancel.hpp"
#include "base/handle.hpp"
#include "base/stream.hpp"

namespace mullion::base {

namespace fs = std::filesystem;

// Opens for reading (O_CLOEXEC). Throws NotFound, Denied, ...
UniqueFd open_read(const fs::path& path);
// The same, for what may be anything: waits for nothing (a FIFO), and what is no regular file is Invalid.
// With Links::Refuse a link as last name is an error.
enum class Links { Follow, Refuse };
UniqueFd open_regular(const fs::path& path, Links links = Links::Follow);
// A file in `directory` to write and read that nobody else can name; it is gone with its last descriptor.
UniqueFd open_nameless(const fs::path& directory);
// The whole file; throws Invalid if larger than `limit` bytes.
std::string read_file(const fs::path& path, std::size_t limit);
// nullopt if there is no such file.
std::optional<std::string> try_read_file(const fs::path& path, std::size_t limit);
// Readers see the old content or the new, never a part. With `is_private` nobody but its owner reads it.
void write_file_atomic(const fs::path& path, std::string_view data, bool is_private = false);
// Makes a directory and its parents; quiet if it is there. Throws Denied, Exhausted, ...
void make_directories(const fs::path& path);
// The names in a directory, sorted; none if it does not exist.
std::vector<std::string> list_directory(const fs::path& path);
void write_all(int fd, std::string_view data, std::string_view what);
// From `offset`, where the file has such a thing; 0 is the end. `name` is for messages.
std::size_t read_at(int fd, char* buffer, std::size_t size, std::uint64_t offset, std::string_view name);
// The size, if it is a file in which one can skip.
std::optional<std::uint64_t> seekable_size(int fd);

// Reads a file, from `offset` for at most `length` bytes, with pread: several may share a descriptor.
class FileSource final : public Source {
  public:
    explicit FileSource(const fs::path& path);
    FileSource(UniqueFd fd, std::uint64_t offset, std::uint64_t length);
    std::size_t read(char* buffer, std::size_t size) override;
    void skip(std::uint64_t size, std::string_view what) override;

  private:
    UniqueFd fd_;
    std::uint64_t offset_ = 0;
    std::uint64_t end_;
    std::string name_ = "file";  // for messages
};

// Writes to a descriptor it does not own.
class FdSink final : public Sink {
  public:
    FdSink(int fd, std::string what) : fd_(fd), what_(std::move(what)) {}
    void write(std::string_view data) override { write_all(fd_, data, what_); }

  private:
    int fd_;
    std::string what_;
};

// A file that appears at `path` only with finish(); destroyed before that, it leaves nothing. Parent
// directories are made. `durable` adds fsync of the file and its directory. For paths that the user named: a
// symlink stays and what it leads to is written; a directory, device, FIFO or socket is Invalid.
class AtomicFile final : public Sink {
  public:
    explicit AtomicFile(fs::path path, bool durable = false, bool is_private = false);
    ~AtomicFile() override;
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    void write(std::string_view data) override;
    void finish() override;

  private:
    fs::path path_;
    fs::path temporary_;
    UniqueFd fd_;
    bool durable_;
};

// A file that has no name yet: written in `directory`, then published under its name on the same file system.
// Destroyed before that, it leaves nothing. For stores whose temporary files have one place to be swept from,
// and for directories in which others may have put links: publish() follows none.
class PendingFile final : public Sink {
  public:
    explicit PendingFile(const fs::path& directory);
    ~PendingFile() override;
    PendingFile(const PendingFile&) = delete;
    PendingFile& operator=(const PendingFile&) = delete;
    void write(std::string_view data) override;
    // Reads the file from its beginning while it is still written. Not after publish().
    std::unique_ptr<Source> written() const;
    // Replaces what is there; `target`'s directory must exist. `durable` adds fsync of the file and its
    // directory.
    void publish(const fs::path& target, bool durable = false);

  private:
    fs::path temporary_;
    UniqueFd fd_;
};

// Waits until a file's bytes, or a directory's entries, would survive a power loss.
void sync_to_disk(const fs::path& path);

// A directory with a unique name below `parent`, removed with everything in it on destruction (failures are
// logged).
class TempDir {
  public:
    explicit TempDir(const fs::path& parent, std::string_view prefix = "tmp");
    ~TempDir();
    TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    TempDir& operator=(TempDir&&) = delete;
    const fs::path& path() const { return path_; }
    // Gives the directory up: it stays.
    fs::path release() { return std::exchange(path_, {}); }

  private:
    fs::path path_;
};

// Removes a file or a tree without following symlinks and without failing on read-only directories or deep
// nesting. Quiet if absent.
void remove_tree(const fs::path& path);

// An advisory whole-file lock (flock): between processes and between threads that open it separately.
// Released on destruction and when the process dies.
class FileLock {
  public:
    enum class Mode { Shared, Exclusive };
    // Waits until it has the lock.
    FileLock(const fs::path& path, Mode mode);
    // The same; throws Canceled.
    FileLock(const fs::path& path, Mode mode, const CancelToken& cancel);
    // nullopt if somebody else holds it.
    static std::optional<FileLock> try_lock(const fs::path& path, Mode mode);
    // Lets go even if a child that was forked meanwhile has inherited the descriptor.
    ~FileLock();
    FileLock(FileLock&&) noexcept = default;
    FileLock& operator=(FileLock&&) = delete;

  private:
    explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
    UniqueFd fd_;
};

}  // namespace mullion::base
