#include "cache/database.hpp"

#include <sqlite3.h>

#include <algorithm>
#include <ctime>

#include "base/file.hpp"
#include "base/log.hpp"
#include "cache/schema.hpp"

namespace mullion::cache {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;

constexpr int kBusyTimeout = 30'000;  // ms; writers hold the lock for milliseconds

ErrorCode code_of(int result) {
    switch (result & 0xff) {
        case SQLITE_FULL:
        case SQLITE_NOMEM:
            return ErrorCode::Exhausted;
        case SQLITE_READONLY:
        case SQLITE_PERM:
        case SQLITE_AUTH:
        case SQLITE_CANTOPEN:
            return ErrorCode::Denied;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
            return ErrorCode::Unavailable;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return ErrorCode::Corrupt;
        default:
            return ErrorCode::Io;
    }
}

[[noreturn]] void fail(sqlite3* connection, int result) {
    const char* file = sqlite3_db_filename(connection, "main");
    std::string what = fmt::format("database {}", file != nullptr ? file : "?");
    int kind = result & 0xff;
    int system = sqlite3_system_errno(connection);
    if ((kind == SQLITE_IOERR || kind == SQLITE_CANTOPEN) && system != 0)
        throw base::system_error(system, what);
    throw base::fail(code_of(result), "{}: {}", what, sqlite3_errmsg(connection));
}

}  // namespace

Statement::Statement(sqlite3* connection, const char* sql) : connection_(connection) {
    int result = sqlite3_prepare_v3(connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
    if (result != SQLITE_OK) fail(connection, result);
}

Statement::~Statement() {
    sqlite3_finalize(statement_);
}

Statement& Statement::reset() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
    return *this;
}

Statement& Statement::bind(int parameter, std::int64_t value) {
    sqlite3_bind_int64(statement_, parameter, value);
    return *this;
}

Statement& Statement::bind(int parameter, std::string_view bytes) {
    // A null pointer would bind NULL.
    const char* data = bytes.empty() ? "" : bytes.data();
    sqlite3_bind_blob64(statement_, parameter, data, bytes.size(), SQLITE_TRANSIENT);
    return *this;
}

Statement& Statement::bind(int parameter, const base::Digest& digest) {
    return bind(parameter, {reinterpret_cast<const char*>(digest.bytes().data()), base::Digest::kSize});
}

bool Statement::step() {
    int result = sqlite3_step(statement_);
    if (result == SQLITE_ROW) return true;
    if (result == SQLITE_DONE) return false;
    reset();
    fail(connection_, result);
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_, column);
}

std::string_view Statement::bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    return {static_cast<const char*>(data),
            static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

base::Digest Statement::digest(int column) const {
    std::string_view data = bytes(column);
    if (data.size() != base::Digest::kSize)
        throw base::Error(ErrorCode::Corrupt, "database: a digest is damaged");
    base::Digest::Bytes digest;
    std::copy(data.begin(), data.end(), digest.begin());
    return base::Digest(digest);
}

Connection::Connection(const fs::path& file) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    int result = sqlite3_open_v2(file.string().c_str(), &connection_, flags, nullptr);
    try {
        if (result != SQLITE_OK) fail(connection_, result);
        sqlite3_busy_timeout(connection_, kBusyTimeout);
        execute("PRAGMA synchronous = NORMAL");
    } catch (...) {
        sqlite3_close(connection_);
        throw;
    }
}

Connection::~Connection() {
    statements_.clear();
    if (sqlite3_close(connection_) != SQLITE_OK) base::log("cache").error("a database connection stays open");
}

void Connection::execute(const char* sql) {
    int result = sqlite3_exec(connection_, sql, nullptr, nullptr, nullptr);
    if (result != SQLITE_OK) fail(connection_, result);
}

Statement& Connection::statement(const char* sql) {
    std::unique_ptr<Statement>& slot = statements_[sql];
    if (!slot) slot = std::make_unique<Statement>(connection_, sql);
    return slot->reset();
}

std::int64_t Connection::integer(const char* sql) {
    Statement query(connection_, sql);
    return query.step() ? query.integer(0) : 0;
}

std::int64_t Connection::changes() const {
    return sqlite3_changes64(connection_);
}

Transaction::~Transaction() {
    if (!open_) return;
    try {
        connection_.execute("ROLLBACK");
    } catch (const base::Error& error) {
        // SQLite has rolled back by itself after a full disk or an i/o error.
        base::log("cache").debug("rollback: {}", error.what());
    }
}

void Transaction::commit() {
    connection_.execute("COMMIT");
    open_ = false;
}

Database::Database(fs::path state) : state_(std::move(state)), file_(state_ / "mullion.db") {
    try {
        open();
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::Corrupt) throw;
        recover(Damage::Possible);
    }
}

fs::path Database::lock_file() const {
    return state_ / "mullion.db.lock";
}

// Locked, because SQLite finds the files beside the database by its name: nobody may move them away meanwhile.
void Database::open() {
    for (;;) {
        {
            base::FileLock lock(lock_file(), base::FileLock::Mode::Shared);
            auto connection = std::make_unique<Connection>(file_);
            if (connection->integer("PRAGMA user_version") == kSchemaVersion) {
                connection_ = std::move(connection);
                return;
            }
        }
        migrate();
    }
}

// One process brings the schema up to date, the others wait for it.
void Database::migrate() const {
    base::FileLock lock(lock_file(), base::FileLock::Mode::Exclusive);
    Connection connection(file_);
    std::int64_t version = connection.integer("PRAGMA user_version");
    if (version > kSchemaVersion) {
        throw base::fail(ErrorCode::Unsupported,
                         "{} was made by a newer mullion (schema {}, this one knows {})", file_.string(),
                         version, kSchemaVersion)
            .hint("use that version, or another state directory (--state or MULLION_STATE)");
    }
    if (version < 0) throw base::fail(ErrorCode::Corrupt, "{}: schema {}", file_.string(), version);
    connection.execute("PRAGMA journal_mode = WAL");
    Transaction transaction(connection);
    for (; version < kSchemaVersion; ++version) connection.execute(kMigrations[version]);
    connection.execute(fmt::format("PRAGMA user_version = {}", kSchemaVersion).c_str());
    transaction.commit();
}

bool Database::damaged() const {
    try {
        Connection probe(file_);
        if (probe.integer("PRAGMA user_version") < 0) return true;
        Statement& check = probe.statement("PRAGMA integrity_check(1)");
        return !check.step() || check.bytes(0) != "ok";
    } catch (const base::Error& error) {
        if (error.code() != ErrorCode::Corrupt) throw;
        return true;
    }
}

void Database::set_aside() const {
    base::log("cache").warn("{} is damaged and starts afresh; the old one is kept as {}.corrupt",
                            file_.string(), file_.filename().string());
    for (const char* suffix : {"", "-wal", "-shm"}) {
        std::error_code absent;
        fs::rename(fs::path(file_) += suffix, (fs::path(file_) += ".corrupt") += suffix, absent);
    }
}

void Database::recover(Damage damage) {
    connection_.reset();
    {
        base::FileLock lock(lock_file(), base::FileLock::Mode::Exclusive);
        if (damage == Damage::Certain || damaged()) set_aside();
    }
    open();
}

std::int64_t Database::today() {
    return static_cast<std::int64_t>(std::time(nullptr)) / 86400;
}

}  // namespace mullion::cache
