// <state>/mullion.db: one SQLite connection for a process (WAL mode, so readers of other processes are never
// in the way), its schema, and what happens when it is damaged. Everything in it can be made again, so a
// corrupt file is set aside with a warning and a fresh one takes its place; nothing else is ever lost that
// way. Commits survive kill -9 at once, a power loss after the next checkpoint (synchronous = NORMAL).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/digest.hpp"
#include "base/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace mullion::cache {

// A prepared statement. Parameters and columns count from 1 and 0, as in SQLite. Views of columns live until
// the next step().
class Statement {
  public:
    Statement(sqlite3* connection, const char* sql);
    ~Statement();
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;

    Statement& reset();
    Statement& bind(int parameter, std::int64_t value);
    Statement& bind(int parameter, std::string_view bytes);  // as a BLOB; copied
    Statement& bind(int parameter, const base::Digest& digest);
    // True: a row is there. Throws as Connection does.
    bool step();
    void run() { step(), reset(); }

    std::int64_t integer(int column) const;
    std::string_view bytes(int column) const;
    base::Digest digest(int column) const;  // Corrupt if it has not 32 bytes

  private:
    sqlite3* connection_;
    sqlite3_stmt* statement_ = nullptr;
};

// Errors: Exhausted (disk full), Denied (not writable), Unavailable (locked for too long), Corrupt, Io.
class Connection {
  public:
    explicit Connection(const std::filesystem::path& file);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    void execute(const char* sql);
    // Prepared once; reset and without parameters from the last time. `sql` must be a literal.
    Statement& statement(const char* sql);
    std::int64_t integer(const char* sql);  // of a query with one row
    std::int64_t changes() const;           // rows the last statement changed

  private:
    sqlite3* connection_ = nullptr;
    std::map<const char*, std::unique_ptr<Statement>> statements_;
};

// BEGIN IMMEDIATE; rolled back unless committed.
class Transaction {
  public:
    explicit Transaction(Connection& connection) : connection_(connection) {
        connection_.execute("BEGIN IMMEDIATE");
    }
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    void commit();

  private:
    Connection& connection_;
    bool open_ = true;
};

// Thread-safe: one body at a time.
class Database {
  public:
    // Opens or makes the database in `state`, bringing its schema up to date. Throws Unsupported if a newer
    // mullion has made it.
    explicit Database(std::filesystem::path state);

    // Runs `body(Connection&)`. If the file turns out to be damaged, a fresh one is made and the body runs
    // again.
    template <typename Body>
    auto run(Body&& body) {
        std::lock_guard lock(mutex_);
        for (Damage suspected : {Damage::Possible, Damage::Certain}) {
            try {
                if (!connection_) open();
                return body(*connection_);
            } catch (const base::Error& error) {
                if (error.code() != base::ErrorCode::Corrupt) throw;
                recover(suspected);
            }
        }
        return body(*connection_);
    }

    // Days since 1970: the resolution in which the use of rows is remembered.
    static std::int64_t today();

  private:
    // Possible: look first, another process may have put a fresh file there already. Certain: the file is
    // well-formed, and still holds what we never wrote.
    enum class Damage { Possible, Certain };

    std::filesystem::path lock_file() const;
    void open();
    void migrate() const;
    void recover(Damage damage);
    bool damaged() const;
    void set_aside() const;

    std::filesystem::path state_;
    std::filesystem::path file_;
    std::mutex mutex_;
    std::unique_ptr<Connection> connection_;
};

}  // namespace mullion::cache
