#include "cache/sqlite_key_store.hpp"

#include "base/log.hpp"
#include "base/synced.hpp"

namespace mullion::cache {
namespace {

using base::Digest;

class SqliteKeyStore final : public KeyStore {
  public:
    explicit SqliteKeyStore(Database& database) : database_(database) {}

    ~SqliteKeyStore() override {
        try {
            write_uses();
        } catch (const std::exception& error) {
            base::log("cache").warn("cannot note the use of cache records: {}", error.what());
        }
    }

    std::optional<KeyRecord> find(const Digest& key) override {
        std::int64_t used = 0;
        auto record = database_.run([&](Connection& connection) -> std::optional<KeyRecord> {
            Statement& query =
                connection.statement("SELECT canonical, payload, used FROM records WHERE key = ?");
            if (!query.bind(1, key).step()) return {};
            KeyRecord found{query.digest(0), std::string(query.bytes(1))};
            used = query.integer(2);
            query.reset();
            return found;
        });
        if (record && used < Database::today()) {
            used_.with([&](std::vector<Digest>& keys) { keys.push_back(key); });
        }
        return record;
    }

    void save(const std::vector<Digest>& keys, const KeyRecord& record) override {
        database_.run([&](Connection& connection) {
            Transaction transaction(connection);
            for (const Digest& key : keys) {
                connection.statement("INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?)")
                    .bind(1, key)
                    .bind(2, record.canonical)
                    .bind(3, record.payload)
                    .bind(4, Database::today())
                    .run();
            }
            transaction.commit();
        });
    }

    void forget(const Digest& key) override {
        database_.run([&](Connection& connection) {
            connection.statement("DELETE FROM records WHERE key = ?").bind(1, key).run();
        });
    }

  private:
    void write_uses() {
        std::vector<Digest> keys =
            used_.with([](std::vector<Digest>& all) { return std::exchange(all, {}); });
        if (keys.empty()) return;
        database_.run([&](Connection& connection) {
            Transaction transaction(connection);
            for (const Digest& key : keys) {
                connection.statement("UPDATE records SET used = ? WHERE key = ?")
                    .bind(1, Database::today())
                    .bind(2, key)
                    .run();
            }
            transaction.commit();
        });
    }

    Database& database_;
    base::Synced<std::vector<Digest>> used_;  // today, and not yet written
};

}  // namespace

std::unique_ptr<KeyStore> make_sqlite_key_store(Database& database) {
    return std::make_unique<SqliteKeyStore>(database);
}

}  // namespace mullion::cache
