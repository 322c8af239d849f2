// A process's stay in a state: its temporary files, and what it keeps others from collecting.
//
// A session is a directory <state>/tmp/<random>/ whose file `lock` stays locked (flock) as long as its owner
// lives; the kernel lets go however the owner dies. In it lie the owner's temporary files, and a file
// `leases` with the digests (32 bytes each) of the blobs, layers and unpacked directories it relies on.
//
// <state>/lock orders leasing and collecting: a lease is added under the shared lock, garbage is taken out
// under the exclusive one. So a lease is either seen by a collection or added after it. The rule for users:
// lease first, then look whether the thing is there.
#pragma once

#include <filesystem>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <vector>

#include "base/digest.hpp"
#include "base/file.hpp"

namespace mullion::cache {

// Thread-safe. Not to be used in a forked child.
class Session {
  public:
    // Makes <state>/tmp if absent, and sweeps what dead processes left there.
    explicit Session(std::filesystem::path state);
    // Removes the directory with everything in it; failures are logged.
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    const std::filesystem::path& directory() const { return directory_->path(); }
    // Keeps whatever has this digest until the session ends. One short write for a new digest.
    void lease(const base::Digest& digest);

  private:
    void sweep();

    std::filesystem::path state_;
    std::optional<base::TempDir> directory_;
    std::optional<base::FileLock> alive_;
    std::mutex mutex_;
    std::unordered_set<base::Digest> leased_;
};

// Held by whoever takes garbage out of a state: no lease is added meanwhile.
class CollectionLock {
  public:
    explicit CollectionLock(const std::filesystem::path& state, const base::CancelToken& cancel);

    // What the live sessions rely on.
    std::vector<base::Digest> leases() const;
    // Is a session alive besides `own`?
    bool others_live(const Session& own) const;
    // Moves what dead sessions left into a directory, which is made if need be.
    void take_dead_sessions(const std::filesystem::path& into) const;

  private:
    friend class Session;
    CollectionLock(std::filesystem::path state, base::FileLock lock);
    std::filesystem::path state_;
    base::FileLock lock_;
};

}  // namespace mullion::cache
