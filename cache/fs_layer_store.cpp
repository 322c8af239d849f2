#include "cache/fs_layer_store.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

#include "base/copy.hpp"
#include "base/error.hpp"
#include "base/synced.hpp"
#include "cache/boot_id.hpp"
#include "cache/layer_chunks.hpp"
#include "cache/layer_contents.hpp"
#include "cache/layer_files.hpp"
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
          contents_([this](const tree::LayerRange& range, const tree::Content& file,
                           const CancelToken& cancel) { return open_range(range, file, cancel); },
                    stats) {
        base::make_directories(paths_.index);
        base::make_directories(paths_.seek);
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

    std::shared_ptr<const tree::Delta> read(const DiffId& diff_id, const oci::Descriptor& blob,
                                            const tree::LayerReadOptions& options,
                                            const CancelToken& cancel) override {
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, cancel);
        return read(*slot, diff_id, blob, options, cancel);
    }

    std::shared_ptr<const tree::Delta> read(const DiffId& diff_id, const oci::Descriptor& blob,
                                            base::Source& bytes, const tree::LayerReadOptions& options,
                                            const CancelToken& cancel) override {
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, cancel);
        return base::with_context([&] { return fmt::format("layer {}", diff_id.digest.string()); },
                                  [&] {
                                      base::VerifyingSource verified(bytes, blob.size);
                                      Findings found = examine(verified, options, cancel);
                                      check_blob(verified, blob);
                                      verify(found.digest, diff_id, blob);
                                      return keep(*slot, diff_id, blob, std::move(found));
                                  });
    }

    std::shared_ptr<const tree::Delta> delta_of(const DiffId& diff_id, tree::Os os,
                                                const CancelToken& cancel) override {
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, cancel);
        if (auto stored = stored_delta(*slot, diff_id, os)) return stored;
        return read(*slot, diff_id, blob_or_throw(diff_id), {.os = os}, cancel);
    }

    void put_index(const DiffId& diff_id, const tree::Delta& delta) override {
        session_.lease(diff_id.digest);
        write_layer_index(paths_.index_of(diff_id), delta, session_.directory());
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, {});
        slot->delta = std::make_shared<const tree::Delta>(delta);
    }

    std::shared_ptr<const oci::SeekTable> seek_table(const base::Digest& blob) override {
        if (auto known = tables_.with([&](auto& tables) { return tables[blob]; })) return known;
        session_.lease(blob);
        std::optional<oci::SeekTable> stored = read_seek_table(paths_.seek_of(blob));
        return stored ? remember(blob, std::move(*stored)) : nullptr;
    }

    void put_seek_table(const base::Digest& blob, oci::SeekTable table) override {
        session_.lease(blob);
        write_seek_table(paths_.seek_of(blob), table, session_.directory());
        remember(blob, std::move(table));
    }

    tree::ContentProvider& contents() override { return contents_; }

    bool is_unpacked(const base::Digest& key) override { return fs::exists(paths_.unpacked(key)); }

    fs::path unpacked(const base::Digest& key, const std::function<void(const fs::path&)>& unpack,
                      const CancelToken& cancel) override {
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

  private:
    // How parts of a layer are read: from a file of the uncompressed layer, or out of a compressed blob.
    struct Access {
        oci::Descriptor blob;
        fs::path file;
        std::uint64_t size = 0;
        std::shared_ptr<const oci::SeekTable> table;  // null: `file` is uncompressed
    };

    // What this process knows of a layer; whoever holds the slot may look at it and find it out.
    struct Slot {
        std::mutex mutex;
        std::condition_variable freed;
        bool held = false;
        std::shared_ptr<const tree::Delta> delta;
        std::optional<Access> access;
    };

    // What a blob turned out to hold.
    struct Findings {
        base::Digest digest;  // uncompressed
        tree::Delta delta;
        oci::SeekTable table;
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

    // A blob that was read to its end.
    static void check_blob(base::VerifyingSource& bytes, const oci::Descriptor& blob) {
        base::Digest digest = bytes.digest();
        if (digest == blob.digest && bytes.size() == blob.size) return;
        throw base::fail(ErrorCode::Corrupt, "{} bytes with the digest {} came for blob {} of {} bytes",
                         bytes.size(), digest.string(), blob.digest.string(), blob.size);
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
            if (error.code() == ErrorCode::Corrupt) heal(error, blob, cancel);
            throw;
        }
    }

    void heal(base::Error& error, const oci::Descriptor& blob, const CancelToken& cancel) {
        if (digest_on_disk(blob, cancel) == blob.digest) return;
        content_.remove(blob.digest);
        error.hint("the stored blob " + blob.digest.string() +
                   " was damaged and has been removed: load or build the image again");
    }

    base::Digest digest_on_disk(const oci::Descriptor& blob, const CancelToken& cancel) {
        std::unique_ptr<base::Source> raw = content_.open(blob, cancel);
        base::HashSink hash;
        base::copy(*raw, hash, cancel);
        return hash.digest();
    }

    std::shared_ptr<const tree::Delta> read(Slot& slot, const DiffId& diff_id, const oci::Descriptor& blob,
                                            const tree::LayerReadOptions& options,
                                            const CancelToken& cancel) {
        Findings found = with_healing(diff_id, blob, cancel, [&] {
            std::unique_ptr<base::Source> raw = content_.open(blob, cancel);
            Findings inside = examine(*raw, options, cancel);
            verify(inside.digest, diff_id, blob);
            return inside;
        });
        return keep(slot, diff_id, blob, std::move(found));
    }

    static Findings examine(base::Source& raw, tree::LayerReadOptions options, const CancelToken& cancel) {
        options.digest_contents = true;
        oci::SeekTableBuilder points;
        std::unique_ptr<base::Source> tar = oci::decompress(raw, oci::kMaxLayerSize, &points);
        tree::LayerReader reader(std::move(options));
        tree::Delta delta = reader.read(*tar, cancel);
        return {reader.diff_id().digest, std::move(delta), points.take()};
    }

    std::shared_ptr<const tree::Delta> keep(Slot& slot, const DiffId& diff_id, const oci::Descriptor& blob,
                                            Findings found) {
        session_.lease(diff_id.digest);
        write_layer_index(paths_.index_of(diff_id), found.delta, session_.directory());
        put_seek_table(blob.digest, std::move(found.table));
        add(diff_id, blob);
        slot.delta = std::make_shared<const tree::Delta>(std::move(found.delta));
        return slot.delta;
    }

    std::shared_ptr<const oci::SeekTable> remember(const base::Digest& blob, oci::SeekTable table) {
        auto shared = std::make_shared<const oci::SeekTable>(std::move(table));
        tables_.with([&](auto& tables) { tables[blob] = shared; });
        return shared;
    }

    void forget_table(const base::Digest& blob) {
        tables_.with([&](auto& tables) { tables.erase(blob); });
        std::error_code absent;
        fs::remove(paths_.seek_of(blob), absent);
    }

    std::unique_ptr<base::Source> open_range(const tree::LayerRange& range, const tree::Content& content,
                                             const CancelToken& cancel) {
        Access access = access_to(range.diff_id, cancel);
        if (range.offset > access.size || content.size() > access.size - range.offset) {
            throw base::fail(ErrorCode::Corrupt, "layer {} has {} bytes, too few for {} at {}",
                             range.diff_id.digest.string(), access.size, content.size(), range.offset);
        }
        if (!access.table) {
            return std::make_unique<base::FileSource>(base::open_read(access.file), range.offset,
                                                      content.size());
        }
        auto open_part = [file = access.file](std::uint64_t begin, std::uint64_t size) {
            return std::make_unique<base::FileSource>(base::open_read(file), begin, size);
        };
        SeekableBlob blob{access.blob.digest, access.table, std::move(open_part)};
        auto on_corrupt = [this, diff_id = range.diff_id, blob = access.blob, cancel](base::Error& error) {
            forget_access(diff_id, blob, cancel);
            heal(error, blob, cancel);
        };
        return std::make_unique<ChunkSource>(chunks_, std::move(blob), range.offset, content.size(),
                                             content.known_digest(), std::move(on_corrupt));
    }

    Access access_to(const DiffId& diff_id, const CancelToken& cancel) {
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, cancel);
        if (!slot->access) slot->access = find_access(diff_id, cancel);
        return *slot->access;
    }

    // What was read was wrong: the table may be, or the blob.
    void forget_access(const DiffId& diff_id, const oci::Descriptor& blob, const CancelToken& cancel) {
        forget_table(blob.digest);
        chunks_.forget(blob.digest);
        std::shared_ptr<Slot> slot = slot_of(diff_id);
        SlotHold hold(*slot, cancel);
        slot->access.reset();
    }

    Access find_access(const DiffId& diff_id, const CancelToken& cancel) {
        oci::Descriptor blob = blob_or_throw(diff_id);
        fs::path file = content_.path_of(blob.digest);
        if (blob.digest == diff_id.digest) return {blob, file, blob.size, nullptr};
        std::shared_ptr<const oci::SeekTable> table = seek_table(blob.digest);
        if (!table || table->blob_size() != blob.size) {
            base::NullSink nowhere;
            put_seek_table(blob.digest, decompress_blob(diff_id, blob, nowhere, cancel));
            table = seek_table(blob.digest);
        }
        if (has_small_chunks(*table)) return {blob, file, table->size(), table};
        return {blob, copy_of(diff_id, blob, cancel), table->size(), nullptr};
    }

    fs::path copy_of(const DiffId& diff_id, const oci::Descriptor& blob, const CancelToken& cancel) {
        fs::path file = paths_.tar_of(diff_id);
        make_once(file, diff_id.digest, cancel, [&] {
            base::PendingFile pending(session_.directory());
            decompress_blob(diff_id, blob, pending, cancel);
            pending.publish(file);
        });
        return file;
    }

    oci::SeekTable decompress_blob(const DiffId& diff_id, const oci::Descriptor& blob, base::Sink& to,
                                   const CancelToken& cancel) {
        return with_healing(diff_id, blob, cancel, [&] {
            base::HashSink hash(&to);
            std::unique_ptr<base::Source> raw = content_.open(blob, cancel);
            oci::SeekTableBuilder points;
            std::unique_ptr<base::Source> tar = oci::decompress(*raw, oci::kMaxLayerSize, &points);
            base::copy(*tar, hash, cancel);
            verify(hash.digest(), diff_id, blob);
            return points.take();
        });
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
    bool put_aside_folders(std::vector<fs::path>& folders) const {
        bool all = true;
        for (const std::string& name : base::list_directory(paths_.layers)) {
            if (!LayerPaths::is_unpacked(name)) continue;
            std::optional<fs::path> folder = session_.put_aside(paths_.layers / name);
            if (folder) folders.push_back(std::move(*folder));
            all = all && folder;
        }
        return all;
    }

    LayerPaths paths_;
    Session& session_;
    ContentStore& content_;
    Database& database_;
    LayerContents contents_;
    ChunkCache chunks_;
    base::Synced<std::map<base::Digest, std::shared_ptr<const oci::SeekTable>>> tables_;  // by blob
    base::Synced<std::map<DiffId, std::shared_ptr<Slot>>> slots_;
};

}  // namespace

std::unique_ptr<LayerStore> make_fs_layer_store(const fs::path& state, Session& session,
                                                ContentStore& content, Database& database,
                                                tree::StatCache& stats) {
    return std::make_unique<FsLayerStore>(state, session, content, database, stats);
}

}  // namespace mullion::cache
