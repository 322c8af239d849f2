// A process's stay in a state: its temporary files, layer folders on their way, and what it keeps others from
// collecting.
//
// A session is a directory <state>/tmp/<random>/ whose file `lock` stays locked (flock) as long as its owner
// lives; the kernel lets go however the owner dies. In it lie the owner's temporary files, and a file
// `leases` with the digests (32 bytes each) of the blobs, layers and unpacked directories it relies on.
//
// <state>/lock orders leasing and collecting: a lease is added under the shared lock, garbage is taken out
// under the exclusive one. So a lease is either seen by a collection or added after it. The rule for users:
// lease first, then look whether the thing is there.
//
// Layer folders (cache/layer_store.hpp) are made in <session>/layers, moved to their place when they are
// complete, and moved back before they are removed: nobody finds one that is there in part. Whoever makes
// them removes them (RemoveLayer), for Windows' own hold what others cannot delete. One that somebody uses
// stays in the session's directory, and processes that open the state later try again.
#pragma once

#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/digest.hpp"
#include "base/file.hpp"

namespace mullion::cache {

// Removes a layer folder, complete or not; quiet if it is not there. Throws base::Error if it cannot, perhaps
// with a part of it gone. Thread-safe.
using RemoveLayer = std::function<void(const std::filesystem::path& folder)>;

// Thread-safe. Not to be used in a forked child.
class Session {
  public:
    // Makes <state>/tmp if absent, and sweeps what dead processes left there.
    explicit Session(std::filesystem::path state, RemoveLayer remove_layer = base::remove_tree);
    // Removes the directory with everything in it, unless a layer folder has to stay; failures are logged.
    ~Session();
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;

    const std::filesystem::path& directory() const { return directory_->path(); }
    // Keeps whatever has this digest until the session ends. One short write for a new digest.
    void lease(const base::Digest& digest);

    // A new name in <session>/layers, which is made if absent.
    std::filesystem::path layer_path() const;
    // Moves a layer folder to a layer_path(), which it returns; none if somebody has something in it open,
    // where that keeps it in place (logged).
    std::optional<std::filesystem::path> put_aside(const std::filesystem::path& folder) const;
    // Removes the folder at a layer_path(). False if it has to stay (logged).
    bool remove_layer(const std::filesystem::path& folder) const;

  private:
    void sweep();
    std::filesystem::path layers() const;

    std::filesystem::path state_;
    RemoveLayer remove_layer_;
    std::optional<base::TempDir> directory_;
    std::optional<base::FileLock> alive_;
    std::mutex mutex_;
    std::unordered_set<base::Digest> leased_;
};

// A folder to make a layer in: empty at first, removed at the end unless it was released, which is for
// whoever moves it to its place.
class TempLayer {
  public:
    // `session` must outlive it.
    explicit TempLayer(const Session& session);
    ~TempLayer();
    TempLayer(TempLayer&& other) noexcept : session_(other.session_), path_(std::exchange(other.path_, {})) {}
    TempLayer& operator=(TempLayer&&) = delete;
    const std::filesystem::path& path() const { return path_; }
    void release() { path_.clear(); }

  private:
    const Session& session_;
    std::filesystem::path path_;
};

// Held by whoever takes garbage out of a state: no lease is added meanwhile.
class CollectionLock {
  public:
    explicit CollectionLock(const std::filesystem::path& state, const base::CancelToken& cancel);

    // What the live sessions rely on.
    std::vector<base::Digest> leases() const;
    // Is a session alive besides `own`?
    bool others_live(const Session& own) const;
    // Moves what dead sessions left: `taker` puts layer folders aside, the rest goes into a directory, which
    // is made if need be.
    void take_dead_sessions(const Session& taker, const std::filesystem::path& into) const;

  private:
    friend class Session;
    CollectionLock(std::filesystem::path state, base::FileLock lock);
    std::filesystem::path state_;
    base::FileLock lock_;
};

}  // namespace mullion::cache
