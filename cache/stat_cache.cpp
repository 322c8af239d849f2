#include "cache/stat_cache.hpp"

#include <set>
#include <unordered_map>

#include "base/log.hpp"
#include "base/synced.hpp"

namespace mullion::cache {
namespace {

using base::Digest;
using tree::StatIdentity;

// Files of one context mostly lie close together in the inode table. They are loaded in blocks of this many
// inode numbers: 10 000 look-ups are a few queries.
constexpr unsigned kBlockBits = 12;
// So many new entries are worth a transaction.
constexpr std::size_t kBatch = 20'000;
// An entry that is used is marked so at most once in so many days.
constexpr std::int64_t kRefreshDays = 7;

struct Key {
    std::uint64_t device;
    std::uint64_t inode;
    auto operator<=>(const Key&) const = default;
};

struct KeyHash {
    std::size_t operator()(const Key& key) const {
        return std::hash<std::uint64_t>()(key.inode ^ key.device * 0x9e3779b97f4a7c15u);
    }
};

struct Entry {
    StatIdentity identity;
    Digest digest;
    std::int64_t used;
};

std::int64_t stored(std::uint64_t value) {
    return static_cast<std::int64_t>(value);
}

Entry read_entry(const Statement& row, std::uint64_t device) {
    StatIdentity identity;
    identity.device = device;
    identity.inode = static_cast<std::uint64_t>(row.integer(0));
    identity.size = static_cast<std::uint64_t>(row.integer(1));
    identity.modified_ns = row.integer(2);
    identity.changed_ns = row.integer(3);
    return {identity, row.digest(4), row.integer(5)};
}

void write_entry(Connection& connection, const Entry& entry) {
    connection.statement("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)")
        .bind(1, stored(entry.identity.device))
        .bind(2, stored(entry.identity.inode))
        .bind(3, stored(entry.identity.size))
        .bind(4, entry.identity.modified_ns)
        .bind(5, entry.identity.changed_ns)
        .bind(6, entry.digest)
        .bind(7, entry.used)
        .run();
}

class SqliteStatCache final : public tree::StatCache {
  public:
    explicit SqliteStatCache(Database& database) : database_(database) {}

    ~SqliteStatCache() override {
        try {
            memory_.with([&](Memory& memory) { flush(memory); });
        } catch (const std::exception& error) {
            base::log("cache").warn("cannot keep the digests of host files: {}", error.what());
        }
    }

    std::optional<Digest> find(const StatIdentity& identity) override {
        return memory_.with([&](Memory& memory) -> std::optional<Digest> {
            Key key{identity.device, identity.inode};
            load_block(memory, key);
            auto found = memory.entries.find(key);
            if (found == memory.entries.end() || found->second.identity != identity) return {};
            if (found->second.used + kRefreshDays <= today_) {
                found->second.used = today_;
                memory.unwritten.insert(key);
            }
            return found->second.digest;
        });
    }

    void remember(const StatIdentity& identity, const Digest& digest) override {
        memory_.with([&](Memory& memory) {
            Key key{identity.device, identity.inode};
            memory.entries.insert_or_assign(key, Entry{identity, digest, today_});
            memory.unwritten.insert(key);
            if (memory.unwritten.size() >= kBatch) flush(memory);
        });
    }

  private:
    struct Memory {
        std::unordered_map<Key, Entry, KeyHash> entries;
        std::set<Key> blocks;  // loaded; `inode` is the block's number
        std::set<Key> unwritten;
    };

    void load_block(Memory& memory, const Key& key) {
        Key block{key.device, key.inode >> kBlockBits};
        if (memory.blocks.count(block) > 0) return;
        std::uint64_t first = block.inode << kBlockBits;
        std::uint64_t last = first | ((std::uint64_t{1} << kBlockBits) - 1);
        database_.run([&](Connection& connection) {
            Statement& query = connection.statement(
                "SELECT inode, size, modified, changed, digest, used FROM files"
                " WHERE device = ? AND inode BETWEEN ? AND ?");
            query.bind(1, stored(key.device)).bind(2, stored(first)).bind(3, stored(last));
            // What this process has learnt itself is newer.
            while (query.step()) {
                Entry entry = read_entry(query, key.device);
                memory.entries.emplace(Key{key.device, entry.identity.inode}, entry);
            }
            query.reset();
        });
        memory.blocks.insert(block);
    }

    void flush(Memory& memory) {
        if (memory.unwritten.empty()) return;
        database_.run([&](Connection& connection) {
            Transaction transaction(connection);
            for (const Key& key : memory.unwritten) write_entry(connection, memory.entries.at(key));
            transaction.commit();
        });
        memory.unwritten.clear();
    }

    Database& database_;
    const std::int64_t today_ = Database::today();
    base::Synced<Memory> memory_;
};

}  // namespace

std::unique_ptr<tree::StatCache> make_sqlite_stat_cache(Database& database) {
    return std::make_unique<SqliteStatCache>(database);
}

}  // namespace mullion::cache
