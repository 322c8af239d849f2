#include "cache/garbage.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/file.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "cache/disk_usage.hpp"
#include "cache/mount_store.hpp"

namespace mullion::cache {
namespace {

namespace fs = std::filesystem;
using base::Digest;

constexpr std::int64_t kUnusedDays = 30;
constexpr std::size_t kMaxDocument = 4 << 20;  // as registries have it
constexpr std::size_t kMaxIndex = 64 << 20;
constexpr std::string_view kPrefix = "sha256:";
constexpr std::string_view kDiffId = "\"diff_id\":\"";
constexpr std::size_t kDigestText = kPrefix.size() + 2 * Digest::kSize;

// Those that follow `mark`, which ends where a digest begins.
std::vector<Digest> digests_in(std::string_view text, std::string_view mark = "") {
    std::vector<Digest> digests;
    for (std::size_t at = text.find(kPrefix); at != std::string_view::npos; at = text.find(kPrefix, at + 1)) {
        if (!text.substr(0, at).ends_with(mark)) continue;
        if (auto digest = Digest::try_parse(text.substr(at, kDigestText))) digests.push_back(*digest);
    }
    return digests;
}

}  // namespace

GarbageCollector::GarbageCollector(const fs::path& state, Session& session, ContentStore& content,
                                   Database& database)
    : state_(state),
      session_(session),
      paths_(state),
      trash_(session.directory() / "trash"),
      content_(content),
      database_(database) {}

std::uint64_t GarbageCollector::run(const base::CancelToken& cancel) {
    base::make_directories(trash_);
    expire();
    {
        CollectionLock lock(state_, cancel);
        mark_roots(lock, cancel);
        sweep_blobs();
        sweep_layers();
    }
    std::uint64_t freed = bytes_below(trash_);
    base::remove_tree(trash_);
    return freed + remove_folders() + expire_mounts();
}

std::uint64_t GarbageCollector::remove_folders() {
    std::uint64_t freed = 0;
    for (const fs::path& folder : folders_) {
        std::uint64_t size = bytes_below(folder);
        if (session_.remove_layer(folder)) freed += size;
    }
    return freed;
}

std::uint64_t GarbageCollector::expire_mounts() {
    base::FileTime oldest = base::FileTime::now();
    oldest.ticks -= kUnusedDays * 24 * 3600 * base::FileTime::kTicksPerSecond;
    auto unused = [&](const CacheMountInfo& mount) { return mount.used < oldest; };
    std::uint64_t freed = 0;
    for (const CacheMountInfo& mount : MountStore(state_, session_).prune(unused)) freed += mount.size;
    return freed;
}

void GarbageCollector::expire() {
    database_.run([](Connection& connection) {
        std::int64_t oldest = Database::today() - kUnusedDays;
        connection.statement("DELETE FROM records WHERE used < ?").bind(1, oldest).run();
        connection.statement("DELETE FROM files WHERE used < ?").bind(1, oldest).run();
    });
}

void GarbageCollector::mark_roots(const CollectionLock& lock, const base::CancelToken& cancel) {
    mark_text(base::try_read_file(state_ / "index.json", kMaxIndex).value_or(""));
    for (const Digest& digest : lock.leases()) mark(digest);
    mark_documents(cancel);
    mark_layers();
    find_fetched();
    mark_payloads();
    mark_documents(cancel);
    mark_layers();
    mark_documents(cancel);
}

void GarbageCollector::mark_payloads() {
    database_.run([&](Connection& connection) {
        Statement& query = connection.statement("SELECT payload FROM records");
        while (query.step()) {
            mark_text(query.bytes(0));
            mark_stack(digests_in(query.bytes(0), kDiffId));
        }
        query.reset();
    });
}

// What images need is marked by now, and stays; what is marked from now on, payloads need.
void GarbageCollector::find_fetched() {
    database_.run([&](Connection& connection) {
        Statement& query = connection.statement(
            "SELECT layers.diff_id, fetched.digest FROM fetched JOIN layers ON layers.digest = "
            "fetched.digest");
        while (query.step()) {
            bool indexed = fs::exists(paths_.index_of({query.digest(0)}));
            if (indexed && needed_.count(query.digest(1)) == 0) fetched_.insert(query.digest(1));
        }
        query.reset();
    });
}

void GarbageCollector::mark(const Digest& digest) {
    if (fetched_.count(digest) == 0 && needed_.insert(digest).second) unread_.push_back(digest);
}

void GarbageCollector::mark_text(std::string_view text) {
    for (const Digest& digest : digests_in(text)) mark(digest);
}

// Every lower part of a stack may be mounted by itself.
void GarbageCollector::mark_stack(const Digests& diff_ids) {
    std::optional<base::ChainId> chain;
    for (const Digest& digest : diff_ids) {
        // The chain ID of a stack is that of its lower part, taken for one layer, with the top one on it.
        chain = chain ? base::chain_id(std::array{base::DiffId{chain->digest}, base::DiffId{digest}})
                      : base::chain_id(std::array{base::DiffId{digest}});
        for (bool whole : {false, true}) needed_.insert(LayerPaths::folder_key(*chain, whole));
    }
}

void GarbageCollector::mark_documents(const base::CancelToken& cancel) {
    while (!unread_.empty()) {
        cancel.check();
        Digest digest = unread_.back();
        unread_.pop_back();
        read_document(digest);
    }
}

void GarbageCollector::read_document(const Digest& digest) {
    std::optional<std::uint64_t> size = content_.size_of(digest);
    if (!size || *size < kDigestText || *size > kMaxDocument) return;
    std::unique_ptr<base::Source> blob =
        content_.open({.media_type = "", .digest = digest, .size = *size}, {});
    char first = 0;
    blob->read_exactly(&first, 1, "blob");
    if (first != '{') return;
    std::string text = first + blob->read_all(kMaxDocument, "blob");
    mark_text(text);
    try {
        base::Json document = base::parse_json(text, "blob");
        auto rootfs = base::JsonView(document, "blob").find("rootfs");
        if (!rootfs) return;
        mark_stack(digests_in(rootfs->raw().dump()));
    } catch (const base::Error& error) {
        base::log("cache").debug("{} is not an image configuration: {}", digest.string(), error.what());
    }
}

void GarbageCollector::mark_layers() {
    std::unordered_map<Digest, Digests> blobs;  // by diff ID, in the order in which they were recorded
    database_.run([&](Connection& connection) {
        Statement& query = connection.statement("SELECT diff_id, digest FROM layers ORDER BY id");
        while (query.step()) blobs[query.digest(0)].push_back(query.digest(1));
        query.reset();
    });
    auto is_needed = [this](const Digest& digest) { return needed_.count(digest) > 0; };
    for (const auto& [diff_id, known] : blobs) {
        if (std::any_of(known.begin(), known.end(), is_needed)) {
            mark(diff_id);
        } else if (is_needed(diff_id)) {
            keep_one_of(known);
        }
    }
}

// Of the blobs of a layer that is needed: one that is here, unless one can be had again.
void GarbageCollector::keep_one_of(const Digests& blobs) {
    auto again = std::find_if(blobs.begin(), blobs.end(),
                              [this](const Digest& blob) { return fetched_.count(blob) > 0; });
    if (again != blobs.end()) {
        remembered_.insert(*again);
        return;
    }
    auto here = std::find_if(blobs.begin(), blobs.end(),
                             [this](const Digest& blob) { return content_.size_of(blob).has_value(); });
    if (here != blobs.end()) mark(*here);
}

bool GarbageCollector::known(const Digest& digest) const {
    return needed_.count(digest) > 0 || remembered_.count(digest) > 0;
}

bool GarbageCollector::known(std::string_view hex) const {
    auto digest = Digest::try_parse(std::string(kPrefix) + std::string(hex));
    return !digest || known(*digest);
}

void GarbageCollector::sweep_blobs() {
    for (const Digest& digest : content_.list()) {
        if (needed_.count(digest) == 0) throw_away(state_ / "blobs" / "sha256" / digest.hex());
    }
    database_.run([&](Connection& connection) {
        Digests gone;
        Statement& query = connection.statement("SELECT DISTINCT digest FROM layers");
        while (query.step()) {
            if (!known(query.digest(0))) gone.push_back(query.digest(0));
        }
        query.reset();
        Transaction transaction(connection);
        for (const Digest& blob : gone) {
            connection.statement("DELETE FROM layers WHERE digest = ?").bind(1, blob).run();
            connection.statement("DELETE FROM recompressed WHERE digest = ?").bind(1, blob).run();
        }
        connection.statement("DELETE FROM fetched WHERE digest NOT IN (SELECT digest FROM layers)").run();
        transaction.commit();
    });
}

void GarbageCollector::sweep_layers() {
    sweep_files(paths_.index);
    sweep_files(paths_.seek);
    sweep_folders();
    sweep_files(paths_.tars);
}

void GarbageCollector::sweep_folders() {
    for (const std::string& name : base::list_directory(paths_.layers)) {
        if (known(name.substr(0, 2 * Digest::kSize))) continue;
        if (!LayerPaths::is_unpacked(name)) {
            throw_away(paths_.layers / name);
        } else if (auto folder = session_.put_aside(paths_.layers / name)) {
            folders_.push_back(std::move(*folder));
        }
    }
}

// Names that are not digests (the boot stamp, subdirectories) are not ours to remove; locks go with what they
// guard. Losing a lock that is held costs at most double work.
void GarbageCollector::sweep_files(const fs::path& directory) {
    for (const std::string& name : base::list_directory(directory)) {
        if (!known(name.substr(0, 2 * Digest::kSize))) throw_away(directory / name);
    }
}

void GarbageCollector::throw_away(const fs::path& path) {
    std::error_code code;
    fs::rename(path, trash_ / std::to_string(thrown_++), code);
    if (code) base::log("cache").warn("cannot remove {}: {}", path.string(), code.message());
}

}  // namespace mullion::cache
