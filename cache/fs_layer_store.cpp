#include "cache/fs_layer_store.hpp"

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>

#include "base/copy.hpp"
#include "base/error.hpp"
#include "base/synced.hpp"
#include "cache/layer_chunks.hpp"
#include "cache/layer_contents.hpp"
#include "cache/layer_files.hpp"
#include "cache/layer_paths.hpp"
#include "cache/layer_records.hpp"
#include "cache/unpacked_layers.hpp"
#include "oci/compress.hpp"
#include "oci/limits.hpp"
#include "tree/layer_tar.hpp"

namespace mullion::cache {
namespace {

namespace fs = std::filesystem;
using base::CancelToken;
using base::DiffId;
using base::ErrorCode;

class FsLayerStore final : public LayerStore {
  public:
    FsLayerStore(const fs::path& state, Session& session, ContentStore& content, Database& database,
                 tree::StatCache& stats)
        : paths_(state),
          session_(session),
          content_(content),
          records_(database),
          unpacked_(state, session),
          contents_([this](const tree::LayerRange& range, const tree::Content& file,
                           const CancelToken& cancel) { return open_range(range, file, cancel); },
                    stats) {
        base::make_directories(paths_.index);
        base::make_directories(paths_.seek);
    }

    void add(const DiffId& diff_id, const oci::Descriptor& blob) override { records_.add(diff_id, blob); }

    bool is_known(const DiffId& diff_id, const base::Digest& blob) override {
        return records_.contains(diff_id, blob);
    }

    std::optional<oci::Descriptor> blob_of(const DiffId& diff_id) override {
        for (oci::Descriptor& blob : records_.blobs_of(diff_id)) {
            if (!is_here(blob)) continue;
            session_.lease(diff_id.digest);
            return std::move(blob);
        }
        return {};
    }

    void add_fetched(const base::Digest& blob) override { records_.add_fetched(blob); }

    std::optional<oci::Descriptor> recompressed(const DiffId& diff_id, const std::string& form) override {
        auto blob = records_.recompressed(diff_id, form);
        if (!blob || !is_here(*blob)) return {};
        session_.lease(diff_id.digest);
        return blob;
    }

    void add_recompressed(const DiffId& diff_id, const std::string& form,
                          const oci::Descriptor& blob) override {
        records_.add_recompressed(diff_id, form, blob);
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

    bool is_unpacked(const base::Digest& key) override { return unpacked_.has_folder(key); }

    fs::path unpacked(const base::Digest& key, const std::function<void(const fs::path&)>& unpack,
                      const CancelToken& cancel) override {
        return unpacked_.folder(key, unpack, cancel);
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
        records_.remove(diff_id, blob.digest);
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
        auto write = [&](base::Sink& file) { decompress_blob(diff_id, blob, file, cancel); };
        return unpacked_.tar(diff_id, write, cancel);
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

    LayerPaths paths_;
    Session& session_;
    ContentStore& content_;
    LayerRecords records_;
    UnpackedLayers unpacked_;
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
