// What RUN --mount=type=cache keeps from one build to the next (dockerfile.md §9).
//
//   <state>/mounts/<KEY>-<N>/files/        what the steps see
//                            mount.json    what it is (CacheMountInfo)
//                            lock          held (flock) as long as a step uses it
//   <state>/mounts/lock                    held for a moment by whoever takes, makes or removes a directory
//
// A key has more than one directory where steps that do not share ran at the same time. What dies releases
// its locks with it and leaves the files as they were at that moment; a directory appears only when it is
// complete.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/cancel.hpp"
#include "base/digest.hpp"
#include "base/file.hpp"
#include "base/file_time.hpp"
#include "cache/session.hpp"

namespace mullion::cache {

enum class MountSharing {
    Shared,   // with all who say so
    Private,  // a directory of one's own, another one if all are in use
    Locked,   // one user at a time; others wait
};

struct CacheMountRequest {
    base::Digest key;  // what determines which directory it is
    std::string id;    // how users call it
    MountSharing sharing = MountSharing::Shared;
};

struct CacheMountInfo {
    std::string name;  // of the directory below <state>/mounts
    std::string id;
    base::FileTime created;
    base::FileTime used;
    std::uint64_t uses = 0;
    std::uint64_t size = 0;  // bytes
    bool in_use = false;
};

// A directory in use; released with the object.
class CacheMount {
  public:
    CacheMount(std::filesystem::path files, base::FileLock lock)
        : files_(std::move(files)), lock_(std::move(lock)) {}
    const std::filesystem::path& files() const { return files_; }

  private:
    std::filesystem::path files_;
    base::FileLock lock_;
};

// Thread-safe, and safe between processes.
class MountStore {
  public:
    MountStore(std::filesystem::path state, Session& session);

    // Waits as `sharing` says. A directory that is new is filled by `fill` first, which gets an empty one.
    using Fill = std::function<void(const std::filesystem::path& files)>;
    CacheMount take(const CacheMountRequest& request, const Fill& fill, const base::CancelToken& cancel);

    // Sorted by id, then name.
    std::vector<CacheMountInfo> list();
    // Removes a directory and returns its bytes. NotFound, or Unavailable if a step uses it.
    std::uint64_t remove(const std::string& name);
    // Removes those that `unwanted` says and nobody uses; tells which.
    std::vector<CacheMountInfo> prune(const std::function<bool(const CacheMountInfo&)>& unwanted);

  private:
    base::FileLock lock_all() const;
    std::vector<std::string> names() const;
    CacheMountInfo info_of(const std::string& name) const;
    void write_info(const std::filesystem::path& directory, const CacheMountInfo& info) const;
    CacheMount use(const std::string& name, base::FileLock lock) const;
    bool move_away(const std::string& name, const std::filesystem::path& to) const;

    std::filesystem::path directory_;
    Session& session_;
};

}  // namespace mullion::cache
