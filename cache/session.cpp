#include "cache/session.hpp"

#include <cerrno>
#include <fstream>

#include "base/error.hpp"
#include "base/log.hpp"

namespace mullion::cache {
namespace {

namespace fs = std::filesystem;
using base::Digest;
using base::FileLock;

constexpr const char* kAlive = "lock";
constexpr const char* kLeases = "leases";
constexpr std::size_t kMaxLeaseFile = std::size_t{1} << 30;

fs::path collection_lock(const fs::path& state) {
    return state / "lock";
}

fs::path sessions(const fs::path& state) {
    return state / "tmp";
}

void append(const fs::path& file, const Digest& digest) {
    errno = 0;
    std::ofstream out(file, std::ios::binary | std::ios::app);
    out.write(reinterpret_cast<const char*>(digest.bytes().data()), Digest::kSize);
    out.flush();
    if (!out)
        throw base::system_error(errno != 0 ? errno : EIO, fmt::format("cannot write {}", file.string()));
}

std::vector<Digest> read_leases(const fs::path& file) {
    std::vector<Digest> digests;
    std::string bytes = base::try_read_file(file, kMaxLeaseFile).value_or("");
    // A write cut short by the owner's death is a lease nobody needs.
    for (std::size_t at = 0; at + Digest::kSize <= bytes.size(); at += Digest::kSize) {
        Digest::Bytes digest;
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(at), Digest::kSize, digest.begin());
        digests.emplace_back(digest);
    }
    return digests;
}

bool is_dead(const fs::path& entry) {
    if (fs::symlink_status(entry).type() != fs::file_type::directory) return true;
    try {
        return FileLock::try_lock(entry / kAlive, FileLock::Mode::Exclusive).has_value();
    } catch (const base::Error& error) {
        // Its owner has ended just now and taken it away himself.
        if (error.code() == base::ErrorCode::NotFound) return false;
        throw;
    }
}

}  // namespace

Session::Session(fs::path state) : state_(std::move(state)) {
    base::make_directories(sessions(state_));
    {
        // Nobody may take the directory for a dead one before it is locked.
        FileLock starting(collection_lock(state_), FileLock::Mode::Shared);
        directory_.emplace(sessions(state_), "session");
        alive_.emplace(directory() / kAlive, FileLock::Mode::Exclusive);
    }
    sweep();
}

// A sweeping process must not meet the directory half removed. If one is at work, it or the next one takes
// it. Windows removes no directory with an open file in it, and the lock is one.
Session::~Session() {
    try {
        auto ending = FileLock::try_lock(collection_lock(state_), FileLock::Mode::Shared);
        if (!ending) directory_->release();
        alive_.reset();
        directory_.reset();
    } catch (const base::Error& error) {
        base::log("cache").warn("cannot end the session: {}", error.what());
    }
}

// Others wait only for the renames. If somebody holds the lock just now, the next process sweeps.
void Session::sweep() {
    fs::path dead = directory() / "dead";
    if (auto lock = FileLock::try_lock(collection_lock(state_), FileLock::Mode::Exclusive)) {
        CollectionLock(state_, std::move(*lock)).take_dead_sessions(dead);
    }
    try {
        base::remove_tree(dead);
    } catch (const base::Error& error) {
        base::log("cache").warn("cannot remove what an ended process left: {}", error.what());
    }
}

void Session::lease(const Digest& digest) {
    std::lock_guard guard(mutex_);
    if (leased_.count(digest) > 0) return;
    FileLock adding(collection_lock(state_), FileLock::Mode::Shared);
    try {
        append(directory() / kLeases, digest);
    } catch (const base::Error&) {
        // A full disk may have taken a part, which would shift all that follow.
        std::error_code code;
        fs::resize_file(directory() / kLeases, leased_.size() * Digest::kSize, code);
        throw;
    }
    leased_.insert(digest);
}

CollectionLock::CollectionLock(const fs::path& state, const base::CancelToken& cancel)
    : state_(state), lock_(collection_lock(state), FileLock::Mode::Exclusive, cancel) {}

CollectionLock::CollectionLock(fs::path state, FileLock lock)
    : state_(std::move(state)), lock_(std::move(lock)) {}

std::vector<Digest> CollectionLock::leases() const {
    std::vector<Digest> all;
    for (const std::string& name : base::list_directory(sessions(state_))) {
        std::vector<Digest> some = read_leases(sessions(state_) / name / kLeases);
        all.insert(all.end(), some.begin(), some.end());
    }
    return all;
}

bool CollectionLock::others_live(const Session& own) const {
    for (const std::string& name : base::list_directory(sessions(state_))) {
        fs::path entry = sessions(state_) / name;
        if (name != own.directory().filename() && !is_dead(entry)) return true;
    }
    return false;
}

void CollectionLock::take_dead_sessions(const fs::path& into) const {
    for (const std::string& name : base::list_directory(sessions(state_))) {
        fs::path entry = sessions(state_) / name;
        if (!is_dead(entry)) continue;
        base::make_directories(into);
        std::error_code code;
        fs::rename(entry, into / name, code);
        if (code) base::log("cache").warn("cannot remove {}: {}", entry.string(), code.message());
    }
}

}  // namespace mullion::cache
