#include "cache/unpacked_layers.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "cache/boot_id.hpp"

namespace mullion::cache {
namespace {

namespace fs = std::filesystem;
using base::CancelToken;

constexpr std::size_t kMaxStamp = 100;

}  // namespace

UnpackedLayers::UnpackedLayers(const fs::path& state, Session& session) : paths_(state), session_(session) {
    // Nobody may make anything in a directory that is about to be put aside.
    drop_if_rebooted(state);
    base::make_directories(paths_.tars);
}

bool UnpackedLayers::has_folder(const base::Digest& key) const {
    return fs::exists(paths_.unpacked(key));
}

fs::path UnpackedLayers::folder(const base::Digest& key, const std::function<void(const fs::path&)>& unpack,
                                const CancelToken& cancel) {
    fs::path target = paths_.unpacked(key);
    make_once(target, key, cancel, [&] {
        TempLayer temporary(session_);
        unpack(temporary.path());
        std::error_code code;
        fs::rename(temporary.path(), target, code);
        if (code) throw base::system_error(code, fmt::format("cannot make {}", target.string()));
        temporary.release();
    });
    return target;
}

fs::path UnpackedLayers::tar(const base::DiffId& diff_id, const std::function<void(base::Sink&)>& write,
                             const CancelToken& cancel) {
    fs::path target = paths_.tar_of(diff_id);
    make_once(target, diff_id.digest, cancel, [&] {
        base::PendingFile pending(session_.directory());
        write(pending);
        pending.publish(target);
    });
    return target;
}

// Runs `make` unless `target` exists; other processes wait for the one that does.
void UnpackedLayers::make_once(const fs::path& target, const base::Digest& key, const CancelToken& cancel,
                               const std::function<void()>& make) {
    session_.lease(key);
    if (fs::exists(target)) return;
    fs::path lock_file = target;
    lock_file += ".lock";
    base::FileLock lock(lock_file, base::FileLock::Mode::Exclusive, cancel);
    if (!fs::exists(target)) make();
}

void UnpackedLayers::drop_if_rebooted(const fs::path& state) {
    fs::path stamp = paths_.layers / "boot";
    std::string now = boot_id();
    if (base::try_read_file(stamp, kMaxStamp) == now) return;
    fs::path stale = session_.directory() / "stale-tars";
    std::vector<fs::path> folders;
    {
        CollectionLock lock(state, {});
        if (base::try_read_file(stamp, kMaxStamp) == now) return;
        // No session outlives a reboot: then this is another kernel beside theirs, which shares the
        // state.
        if (lock.others_live(session_)) return;
        std::error_code absent;
        fs::rename(paths_.tars, stale, absent);
        if (!put_aside_folders(folders) || fs::exists(paths_.tars)) return;
        base::make_directories(paths_.layers);
        base::PendingFile pending(session_.directory());
        pending.write(now);
        pending.publish(stamp);
    }
    base::remove_tree(stale);
    for (const fs::path& folder : folders) session_.remove_layer(folder);
}

// False if one is in use, or not ours to move: then the next start tries again.
bool UnpackedLayers::put_aside_folders(std::vector<fs::path>& folders) const {
    bool all = true;
    for (const std::string& name : base::list_directory(paths_.layers)) {
        if (!LayerPaths::is_unpacked(name)) continue;
        std::optional<fs::path> folder = session_.put_aside(paths_.layers / name);
        if (folder) folders.push_back(std::move(*folder));
        all = all && folder;
    }
    return all;
}

}  // namespace mullion::cache
