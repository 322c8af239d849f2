#include "cache/session.hpp"

#include <cerrno>
#include <fstream>

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/random_name.hpp"

namespace mullion::cache {
namespace {

namespace fs = std::filesystem;
using base::Digest;
using base::FileLock;

constexpr const char* kAlive = "lock";
constexpr const char* kLeases = "leases";
constexpr const char* kLayers = "layers";
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

bool is_real_directory(const fs::path& path) {
    return fs::symlink_status(path).type() == fs::file_type::directory;
}

bool is_dead(const fs::path& entry) {
    if (!is_real_directory(entry)) return true;
    try {
        return FileLock::try_lock(entry / kAlive, FileLock::Mode::Exclusive).has_value();
    } catch (const base::Error& error) {
        // Its owner has ended just now and taken it away himself.
        if (error.code() == base::ErrorCode::NotFound) return false;
        throw;
    }
}

// Windows keeps in place what somebody has open.
bool move_away(const fs::path& from, const fs::path& to) {
    std::error_code code;
    fs::rename(from, to, code);
    if (code) base::log("cache").warn("cannot remove {}: {}", from.string(), code.message());
    return !code;
}

// From a dead session's directory, or anything else. True if none is left there.
bool take_layers(const fs::path& entry, const Session& taker) {
    if (!is_real_directory(entry) || !is_real_directory(entry / kLayers)) return true;
    bool all = true;
    for (const std::string& name : base::list_directory(entry / kLayers)) {
        all = taker.put_aside(entry / kLayers / name) && all;
    }
    return all;
}

}  // namespace

Session::Session(fs::path state, RemoveLayer remove_layer)
    : state_(std::move(state)), remove_layer_(std::move(remove_layer)) {
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
// it, and the next one a layer folder that had to stay. Windows removes no directory with an open file in it,
// and the lock is one.
Session::~Session() {
    try {
        auto ending = FileLock::try_lock(collection_lock(state_), FileLock::Mode::Shared);
        if (!ending || !base::list_directory(layers()).empty()) directory_->release();
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
        CollectionLock(state_, std::move(*lock)).take_dead_sessions(*this, dead);
    }
    try {
        base::remove_tree(dead);
    } catch (const base::Error& error) {
        base::log("cache").warn("cannot remove what an ended process left: {}", error.what());
    }
    for (const std::string& name : base::list_directory(layers())) remove_layer(layers() / name);
}

fs::path Session::layers() const {
    return directory() / kLayers;
}

fs::path Session::layer_path() const {
    base::make_directories(layers());
    return layers() / base::random_name();
}

std::optional<fs::path> Session::put_aside(const fs::path& folder) const {
    fs::path name = layer_path();
    if (!move_away(folder, name)) return {};
    return name;
}

bool Session::remove_layer(const fs::path& folder) const {
    try {
        remove_layer_(folder);
        return true;
    } catch (const base::Error& error) {
        base::log("cache").warn("cannot remove an unpacked layer: {}{}{}; a later start tries again",
                                error.what(), error.hint().empty() ? "" : ": ", error.hint());
        return false;
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

TempLayer::TempLayer(const Session& session) : session_(session), path_(session.layer_path()) {
    fs::create_directory(path_);
}

TempLayer::~TempLayer() {
    if (!path_.empty()) session_.remove_layer(path_);
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

void CollectionLock::take_dead_sessions(const Session& taker, const fs::path& into) const {
    for (const std::string& name : base::list_directory(sessions(state_))) {
        fs::path entry = sessions(state_) / name;
        if (!is_dead(entry) || !take_layers(entry, taker)) continue;
        base::make_directories(into);
        move_away(entry, into / name);
    }
}

}  // namespace mullion::cache
