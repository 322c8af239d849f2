#include "cache/mount_store.hpp"

#include <algorithm>
#include <chrono>
#include <optional>
#include <tuple>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "cache/disk_usage.hpp"

namespace mullion::cache {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using base::FileLock;
using base::FileTime;

constexpr const char* kLock = "lock";
constexpr const char* kInfo = "mount.json";
constexpr const char* kFiles = "files";
constexpr std::size_t kInfoLimit = 1 << 20;
constexpr std::size_t kKeyDigits = 32;  // of the key's 64, so that names stay handy
constexpr std::chrono::milliseconds kPoll{50};

// KEY-N, and nothing that leads elsewhere.
bool is_name(std::string_view name) {
    if (name.size() < kKeyDigits + 2 || name.size() > kKeyDigits + 10 || name[kKeyDigits] != '-')
        return false;
    auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return std::all_of(name.begin(), name.begin() + kKeyDigits, hex) &&
           std::all_of(name.begin() + kKeyDigits + 1, name.end(), digit);
}

std::string prefix_of(const base::Digest& key) {
    return key.hex().substr(0, kKeyDigits) + "-";
}

FileLock::Mode lock_mode(MountSharing sharing) {
    return sharing == MountSharing::Shared ? FileLock::Mode::Shared : FileLock::Mode::Exclusive;
}

}  // namespace

MountStore::MountStore(fs::path state, Session& session)
    : directory_(std::move(state) / "mounts"), session_(session) {}

FileLock MountStore::lock_all() const {
    return {directory_ / kLock, FileLock::Mode::Exclusive};
}

std::vector<std::string> MountStore::names() const {
    std::vector<std::string> names = base::list_directory(directory_);
    std::erase_if(names, [](const std::string& name) { return !is_name(name); });
    return names;
}

// A directory whose description is damaged is still a cache, and can still be removed.
CacheMountInfo MountStore::info_of(const std::string& name) const {
    CacheMountInfo info;
    info.name = name;
    try {
        base::Json json = base::parse_json(base::read_file(directory_ / name / kInfo, kInfoLimit), kInfo);
        base::JsonView view(json, kInfo);
        info.id = view.at("id").string();
        info.created = FileTime::parse_rfc3339(view.at("created").string());
        info.used = FileTime::parse_rfc3339(view.at("used").string());
        info.uses = view.at("uses").size();
    } catch (const base::Error& error) {
        base::log("cache").warn("cache mount {}: {}", name, error.what());
    }
    return info;
}

void MountStore::write_info(const fs::path& directory, const CacheMountInfo& info) const {
    base::OrderedJson json;
    json["id"] = info.id;
    json["created"] = info.created.rfc3339();
    json["used"] = info.used.rfc3339();
    json["uses"] = info.uses;
    base::write_file_atomic(directory / kInfo, json.dump() + "\n");
}

CacheMount MountStore::use(const std::string& name, FileLock lock) const {
    CacheMountInfo info = info_of(name);
    info.used = FileTime::now();
    ++info.uses;
    write_info(directory_ / name, info);
    return {directory_ / name / kFiles, std::move(lock)};
}

CacheMount MountStore::take(const CacheMountRequest& request, const Fill& fill,
                            const base::CancelToken& cancel) {
    base::make_directories(directory_);
    std::string prefix = prefix_of(request.key);
    std::optional<base::TempDir> fresh;  // filled while nobody waits for us
    for (;;) {
        bool wait = false;
        {
            FileLock all(directory_ / kLock, FileLock::Mode::Exclusive, cancel);
            std::vector<std::string> existing = names();
            std::erase_if(existing, [&](const std::string& name) { return !name.starts_with(prefix); });
            for (const std::string& name : existing) {
                auto lock = FileLock::try_lock(directory_ / name / kLock, lock_mode(request.sharing));
                if (lock) return use(name, std::move(*lock));
            }
            wait = request.sharing == MountSharing::Locked && !existing.empty();
            if (!wait && fresh) {
                std::size_t number = 0;
                auto taken = [&] { return prefix + std::to_string(number); };
                while (std::find(existing.begin(), existing.end(), taken()) != existing.end()) ++number;
                fs::rename(fresh->release(), directory_ / taken());
                return use(taken(),
                           FileLock(directory_ / taken() / kLock, lock_mode(request.sharing), cancel));
            }
        }
        if (wait) {
            if (cancel.wait_for(kPoll)) cancel.check();
            continue;
        }
        fresh.emplace(session_.directory(), "mount");
        fs::create_directory(fresh->path() / kFiles);
        if (fill) fill(fresh->path() / kFiles);
        FileTime now = FileTime::now();
        write_info(fresh->path(), {"", request.id, now, now, 0, 0, false});
    }
}

std::vector<CacheMountInfo> MountStore::list() {
    std::vector<CacheMountInfo> all;
    if (!fs::exists(directory_)) return all;
    {
        FileLock lock = lock_all();
        for (const std::string& name : names()) {
            all.push_back(info_of(name));
            all.back().in_use =
                !FileLock::try_lock(directory_ / name / kLock, FileLock::Mode::Exclusive).has_value();
        }
    }
    for (CacheMountInfo& info : all) info.size = bytes_below(directory_ / info.name / kFiles);
    std::sort(all.begin(), all.end(), [](const CacheMountInfo& a, const CacheMountInfo& b) {
        return std::tie(a.id, a.name) < std::tie(b.id, b.name);
    });
    return all;
}

// False if somebody uses it. Call under lock_all().
bool MountStore::move_away(const std::string& name, const fs::path& to) const {
    auto lock = FileLock::try_lock(directory_ / name / kLock, FileLock::Mode::Exclusive);
    if (!lock) return false;
    fs::rename(directory_ / name, to);
    return true;
}

std::uint64_t MountStore::remove(const std::string& name) {
    base::TempDir trash(session_.directory(), "removed");
    {
        bool exists = is_name(name) && fs::exists(directory_ / name);
        if (!exists) throw base::fail(ErrorCode::NotFound, "there is no cache mount {}", name);
        FileLock lock = lock_all();
        if (!fs::exists(directory_ / name)) return 0;  // somebody else has just removed it
        if (!move_away(name, trash.path() / name)) {
            throw base::fail(ErrorCode::Unavailable, "cache mount {} is in use", name)
                .hint("wait for the build that uses it, or stop it");
        }
    }
    return bytes_below(trash.path() / name / kFiles);
}

std::vector<CacheMountInfo> MountStore::prune(const std::function<bool(const CacheMountInfo&)>& unwanted) {
    std::vector<CacheMountInfo> removed;
    base::TempDir trash(session_.directory(), "removed");
    for (const CacheMountInfo& info : list()) {
        if (info.in_use || !unwanted(info)) continue;
        FileLock lock = lock_all();
        if (!fs::exists(directory_ / info.name)) continue;
        if (move_away(info.name, trash.path() / info.name)) removed.push_back(info);
    }
    return removed;
}

}  // namespace mullion::cache
