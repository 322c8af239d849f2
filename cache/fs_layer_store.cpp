#include "cache/fs_layer_store.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

#include "base/copy.hpp"
#include "base/error.hpp"
#include "base/synced.hpp"
#include "cache/layer_contents.hpp"
#include "cache/layer_index_file.hpp"
#include "cache/layer_paths.hpp"
#include "oci/compress.hpp"
#include "oci/limits.hpp"
#include "tree/layer_tar.hpp"

namespace mullion::cache {
namespace {

namespace fs = std::filesystem;
using base::CancelToken;
using base::DiffId;
using base::ErrorCode;

constexpr std::size_t kMaxStamp = 100;

// Changes with every start of the machine.
std::string boot_id() {
    return base::try_read_file("/proc/sys/kernel/random/boot_id", kMaxStamp).value_or("unknown");
}

std::string join_lines(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

std::vector<std::string> split_lines(std::string_view text) {
    std::vector<std::string> lines;
    for (std::size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
        lines.emplace_back(text.substr(0, end));
    }
    return lines;
}

class FsLayerStore final : public LayerStore {
  public:
    FsLayerStore(const fs::path& state, Session& session, ContentStore& content, Database& database,
                 tree::StatCache& stats)
        : paths_(state),
          session_(session),
          content_(content),
          database_(database),
          contents_([this](const DiffId& id, const CancelToken& cancel) { return tar_of(id, cancel); },
                    stats) {
        base::make_directories(paths_.index);
        // Nobody may make anything in a directory that is about to be put aside.
        drop_if_rebooted(state);
        base::make_directories(paths_.tars);
    }

    void add(const DiffId& diff_id, const oci::Descriptor& blob) override {
        if (is_known(diff_id, blob.digest)) return;
        database_.run([&](Connection& connection) {
            connection
                .statement(
                    "INSERT OR IGNORE INTO layers (diff_id, digest, media_type, size, urls)"
                    " VALUES (?, ?, ?, ?, ?)")
                .bind(1, diff_id.digest)
                .bind(2, blob.digest)
                .bind(3, blob.media_type)
                .bind(4, static_cast<std::int64_t>(blob.size))
                .bind(5, join_lines(blob.urls))
                .run();
        });
    }

    bool is_known(const DiffId& diff_id, const base::Digest& blob) override {
        return database_.run([&](Connection& connection) {
            Statement& query = connection.statement("SELECT 1 FROM layers WHERE diff_id = ? AND digest = ?");
            bool known = query.bind(1, diff_id.digest).bind(2, blob).step();
            query.reset();
            return known;
        });
    }

    std::optional<oci::Descriptor> blob_of(const DiffId& diff_id) override {
        for (oci::Descriptor& blob : recorded_blobs(diff_id)) {
            if (!is_here(blob)) continue;
            session_.lease(diff_id.digest);
            return std::move(blob);
        }
        return {};
    }

    void add_fetched(const base::Digest& blob) override {
        database_.run([&](Connection& connection) {
            connection.statement("INSERT OR IGNORE INTO fetched VALUES (?)").bind(1, blob).run();
        });
    }

    std::optional<oci::Descriptor> recompressed(const DiffId& diff_id, const std::string& form) override {
        auto blob = database_.run([&](Connection& connection) -> std::optional<oci::Descriptor> {
            Statement& query = connection.statement(
                "SELECT media_type, digest, size FROM recompressed WHERE diff_id = ? AND form = ?");
            if (!query.bind(1, diff_id.digest).bind(2, form).step()) return {};
            oci::Descriptor found{.media_type = std::string(query.bytes(0)),
                                  .digest = query.digest(1),
                                  .size = static_cast<std::uint64_t>(query.integer(2))};
            query.reset();
            return found;
        });
        if (!blob || !is_here(*blob)) return {};
        session_.lease(diff_id.digest);
        return blob;
    }

    void add_recompressed(const DiffId& diff_id, const std::string& form,
                          const oci::Descriptor& blob) override {
        add(diff_id, blob);
        database_.run([&](Connection& connection) {
            connection.statement("INSERT OR REPLACE INTO recompressed VALUES (?, ?, ?, ?, ?)")
                .bind(1, diff_id.digest)
                .bind(2, form)
                .bind(3, blob.digest)
                .bind(4, blob.media_type)
                .bind(5, static_cast<std::int64_t>(blob.size))
                .run();
        });
    }

    std::shared_ptr<const tree::Delta> stored_delta(const DiffId& diff_id, tree::Os os,
                                                    const CancelToken& cancel) override {
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, cancel);
        return stored_delta(*slot, diff_id, os);
    }

    bool has_index(const DiffId& diff_id) override { return fs::exists(paths_.index_of(diff_id)); }

    std::shared_ptr<const tree::Delta> read(const DiffId& diff_id, const oci::Descriptor& blob, tree::Os os,
                                            const CancelToken& cancel) override {
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, cancel);
        return read(*slot, diff_id, blob, os, cancel);
    }

    std::shared_ptr<const tree::Delta> read(const DiffId& diff_id, const oci::Descriptor& blob,
                                            base::Source& bytes, tree::Os os,
                                            const CancelToken& cancel) override {
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, cancel);
        return keep(*slot, diff_id, blob, index_of(diff_id, blob, bytes, os, cancel));
    }

    std::shared_ptr<const tree::Delta> delta_of(const DiffId& diff_id, tree::Os os,
                                                const CancelToken& cancel) override {
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, cancel);
        if (auto stored = stored_delta(*slot, diff_id, os)) return stored;
        return read(*slot, diff_id, blob_or_throw(diff_id), os, cancel);
    }

    void put_index(const DiffId& diff_id, const tree::Delta& delta) override {
        session_.lease(diff_id.digest);
        write_layer_index(paths_.index_of(diff_id), delta, session_.directory());
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, {});
        slot->delta = std::make_shared<const tree::Delta>(delta);
    }

    tree::ContentProvider& contents() override { return contents_; }

    bool is_unpacked(const base::Digest& key) override { return fs::exists(paths_.unpacked(key)); }

    fs::path unpacked(const base::Digest& key, const std::function<void(const fs::path&)>& unpack,
                      const CancelToken& cancel) override {
        fs::path target = paths_.unpacked(key);
        make_once(target, key, cancel, [&] {
            base::TempDir temporary(session_.directory(), "unpack");
            unpack(temporary.path());
            std::error_code code;
            fs::rename(temporary.path(), target, code);
            if (code) throw base::system_error(code.value(), fmt::format("cannot make {}", target.string()));
            temporary.release();
        });
        return target;
    }

  private:
    // What this process knows of a layer; whoever holds the slot may look at it and find it out.
    struct Slot {
        std::mutex mutex;
        std::condition_variable freed;
        bool held = false;
        std::shared_ptr<const tree::Delta> delta;
        std::optional<LayerTar> tar;
    };

    // Holds a slot, perhaps for as long as reading a layer takes; waiting for it can be canceled.
    class SlotHold {
      public:
        SlotHold(Slot& slot, const CancelToken& cancel) : slot_(slot) {
            constexpr std::chrono::milliseconds kCancelInterval{50};
            std::unique_lock lock(slot_.mutex);
            while (slot_.held) {
                slot_.freed.wait_for(lock, kCancelInterval);
                cancel.check();
            }
            slot_.held = true;
        }
        ~SlotHold() {
            {
                std::lock_guard lock(slot_.mutex);
                slot_.held = false;
            }
            slot_.freed.notify_one();
        }
        SlotHold(const SlotHold&) = delete;
        SlotHold& operator=(const SlotHold&) = delete;

      private:
        Slot& slot_;
    };

    // Whole, and leased from now on.
    bool is_here(const oci::Descriptor& blob) {
        return content_.contains(blob.digest) && content_.size_of(blob.digest) == blob.size;
    }

    std::shared_ptr<Slot> slot_of(const DiffId& diff_id) {
        return slots_.with([&](auto& slots) {
            std::shared_ptr<Slot>& slot = slots[diff_id];
            if (!slot) slot = std::make_shared<Slot>();
            return slot;
        });
    }

    std::shared_ptr<const tree::Delta> stored_delta(Slot& slot, const DiffId& diff_id, tree::Os os) {
        if (slot.delta && slot.delta->os == os) return slot.delta;
        session_.lease(diff_id.digest);
        std::optional<tree::Delta> delta = read_layer_index(paths_.index_of(diff_id), diff_id);
        if (!delta || delta->os != os) return nullptr;
        slot.delta = std::make_shared<const tree::Delta>(std::move(*delta));
        return slot.delta;
    }

    std::shared_ptr<const tree::Delta> read(Slot& slot, const DiffId& diff_id, const oci::Descriptor& blob,
                                            tree::Os os, const CancelToken& cancel) {
        return keep(slot, diff_id, blob, read_blob(diff_id, blob, os, cancel));
    }

    std::shared_ptr<const tree::Delta> keep(Slot& slot, const DiffId& diff_id, const oci::Descriptor& blob,
                                            tree::Delta delta) {
        session_.lease(diff_id.digest);
        write_layer_index(paths_.index_of(diff_id), delta, session_.directory());
        add(diff_id, blob);
        slot.delta = std::make_shared<const tree::Delta>(std::move(delta));
        return slot.delta;
    }

    std::vector<oci::Descriptor> recorded_blobs(const DiffId& diff_id) {
        return database_.run([&](Connection& connection) {
            std::vector<oci::Descriptor> blobs;
            Statement& query = connection.statement(
                "SELECT media_type, digest, size, urls FROM layers WHERE diff_id = ? ORDER BY id");
            query.bind(1, diff_id.digest);
            while (query.step()) {
                blobs.push_back({.media_type = std::string(query.bytes(0)),
                                 .digest = query.digest(1),
                                 .size = static_cast<std::uint64_t>(query.integer(2)),
                                 .urls = split_lines(query.bytes(3))});
            }
            query.reset();
            return blobs;
        });
    }

    oci::Descriptor blob_or_throw(const DiffId& diff_id) {
        if (auto blob = blob_of(diff_id)) return *blob;
        throw base::fail(ErrorCode::NotFound, "layer {} is not in the local store", diff_id.digest.string());
    }

    // A blob that was recorded, and is not the layer after all, shall stand in nobody's way.
    void verify(const base::Digest& digest, const DiffId& diff_id, const oci::Descriptor& blob) {
        if (digest == diff_id.digest) return;
        database_.run([&](Connection& connection) {
            connection.statement("DELETE FROM layers WHERE diff_id = ? AND digest = ?")
                .bind(1, diff_id.digest)
                .bind(2, blob.digest)
                .run();
        });
        throw base::fail(ErrorCode::Corrupt, "blob {} holds the layer {}, not {}", blob.digest.string(),
                         digest.string(), diff_id.digest.string());
    }

    // If reading fails because the blob on disk is damaged, the blob goes: then it can be had again.
    template <typename Body>
    auto with_healing(const DiffId& diff_id, const oci::Descriptor& blob, const CancelToken& cancel,
                      const Body& body) {
        try {
            return base::with_context([&] { return fmt::format("layer {}", diff_id.digest.string()); }, body);
        } catch (base::Error& error) {
            if (error.code() != ErrorCode::Corrupt || digest_on_disk(blob, cancel) == blob.digest) throw;
            content_.remove(blob.digest);
            error.hint("the stored blob " + blob.digest.string() +
                       " was damaged and has been removed: load or build the image again");
            throw;
        }
    }

    base::Digest digest_on_disk(const oci::Descriptor& blob, const CancelToken& cancel) {
        std::unique_ptr<base::Source> raw = content_.open(blob, cancel);
        base::HashSink hash;
        base::copy(*raw, hash, cancel);
        return hash.digest();
    }

    tree::Delta read_blob(const DiffId& diff_id, const oci::Descriptor& blob, tree::Os os,
                          const CancelToken& cancel) {
        return with_healing(diff_id, blob, cancel, [&] {
            std::unique_ptr<base::Source> raw = content_.open(blob, cancel);
            return index_of(diff_id, blob, *raw, os, cancel);
        });
    }

    tree::Delta index_of(const DiffId& diff_id, const oci::Descriptor& blob, base::Source& bytes, tree::Os os,
                         const CancelToken& cancel) {
        std::unique_ptr<base::Source> tar = oci::decompress(bytes, oci::kMaxLayerSize);
        tree::LayerReader reader({.os = os, .digest_contents = true});
        tree::Delta delta = reader.read(*tar, cancel);
        verify(reader.diff_id().digest, diff_id, blob);
        base::NullSink rest;
        base::copy(bytes, rest, cancel);
        return delta;
    }

    // The uncompressed layer as a file: the blob itself, or a copy made once.
    LayerTar tar_of(const DiffId& diff_id, const CancelToken& cancel) {
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, cancel);
        if (!slot->tar) slot->tar = find_tar(diff_id, cancel);
        return *slot->tar;
    }

    LayerTar find_tar(const DiffId& diff_id, const CancelToken& cancel) {
        oci::Descriptor blob = blob_or_throw(diff_id);
        if (blob.digest == diff_id.digest) return {content_.path_of(blob.digest), blob.size};
        fs::path file = paths_.tar_of(diff_id);
        make_once(file, diff_id.digest, cancel, [&] {
            with_healing(diff_id, blob, cancel, [&] { decompress_blob(diff_id, blob, file, cancel); });
        });
        return {file, fs::file_size(file)};
    }

    void decompress_blob(const DiffId& diff_id, const oci::Descriptor& blob, const fs::path& file,
                         const CancelToken& cancel) {
        base::PendingFile pending(session_.directory());
        base::HashSink hash(&pending);
        std::unique_ptr<base::Source> raw = content_.open(blob, cancel);
        std::unique_ptr<base::Source> tar = oci::decompress(*raw, oci::kMaxLayerSize);
        base::copy(*tar, hash, cancel);
        verify(hash.digest(), diff_id, blob);
        pending.publish(file);
    }

    // Runs `make` unless `target` exists; other processes wait for the one that does.
    template <typename Make>
    void make_once(const fs::path& target, const base::Digest& key, const CancelToken& cancel,
                   const Make& make) {
        session_.lease(key);
        if (fs::exists(target)) return;
        fs::path lock_file = target;
        lock_file += ".lock";
        base::FileLock lock(lock_file, base::FileLock::Mode::Exclusive, cancel);
        if (!fs::exists(target)) make();
    }

    void drop_if_rebooted(const fs::path& state) {
        fs::path stamp = paths_.layers / "boot";
        std::string now = boot_id();
        if (base::try_read_file(stamp, kMaxStamp) == now) return;
        fs::path stale = session_.directory() / "stale-layers";
        {
            CollectionLock lock(state, {});
            if (base::try_read_file(stamp, kMaxStamp) == now) return;
            // No session outlives a reboot: then this is another kernel beside theirs, which shares the
            // state.
            if (lock.others_live(session_)) return;
            std::error_code absent;
            fs::rename(paths_.layers, stale, absent);
            base::make_directories(paths_.tars);
            base::PendingFile pending(session_.directory());
            pending.write(now);
            pending.publish(stamp);
        }
        base::remove_tree(stale);
    }

    LayerPaths paths_;
    Session& session_;
    ContentStore& content_;
    Database& database_;
    LayerContents contents_;
    base::Synced<std::map<DiffId, std::shared_ptr<Slot>>> slots_;
};

}  // namespace

std::unique_ptr<LayerStore> make_fs_layer_store(const fs::path& state, Session& session,
                                                ContentStore& content, Database& database,
                                                tree::StatCache& stats) {
    return std::make_unique<FsLayerStore>(state, session, content, database, stats);
}

}  // namespace mullion::cache
