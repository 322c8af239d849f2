#include "cache/database.hpp"

#include <fstream>

#include "cache/schema.hpp"
#include "tests/cache/child_processes.hpp"
#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using base::ErrorCode;

class DatabaseTest : public StateFixture {
  protected:
    void SetUp() override { fs::create_directories(state()); }
    fs::path file() const { return state() / "mullion.db"; }

    void save(Database& database, int number) {
        database.run([&](Connection& connection) {
            connection.statement("INSERT OR REPLACE INTO records VALUES (?, ?, 'x', 0)")
                .bind(1, key(number))
                .bind(2, key(number))
                .run();
        });
    }
    std::int64_t count(Database& database) {
        return database.run(
            [](Connection& connection) { return connection.integer("SELECT count(*) FROM records"); });
    }
    void overwrite(std::uint64_t offset, const std::string& bytes) {
        std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(static_cast<std::streamoff>(offset));
        stream << bytes;
    }
};

TEST_F(DatabaseTest, NewFileHasTheSchemaAndWal) {
    Database database(state());
    EXPECT_EQ(count(database), 0);
    database.run([](Connection& connection) {
        EXPECT_EQ(connection.integer("PRAGMA user_version"), kSchemaVersion);
        Statement& mode = connection.statement("PRAGMA journal_mode");
        ASSERT_TRUE(mode.step());
        EXPECT_EQ(mode.bytes(0), "wal");
        mode.reset();
    });
}

TEST_F(DatabaseTest, RowsSurviveReopening) {
    {
        Database database(state());
        save(database, 1);
    }
    Database database(state());
    EXPECT_EQ(count(database), 1);
}

TEST_F(DatabaseTest, TransactionWithoutCommitIsRolledBack) {
    Database database(state());
    EXPECT_THROW(database.run([&](Connection& connection) {
        Transaction transaction(connection);
        connection.execute("INSERT INTO records VALUES (x'00', x'00', 'x', 0)");
        throw std::runtime_error("stop");
    }),
                 std::runtime_error);
    EXPECT_EQ(count(database), 0);
    save(database, 1);
    EXPECT_EQ(count(database), 1);
}

TEST_F(DatabaseTest, NewerSchemaIsRefusedAndLeftAlone) {
    { Database database(state()); }
    {
        Connection connection(file());
        connection.execute("PRAGMA user_version = 1000");
    }
    try {
        Database database(state());
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Unsupported);
        EXPECT_NE(std::string(error.what()).find(file().string()), std::string::npos);
        EXPECT_FALSE(error.hint().empty());
    }
    EXPECT_EQ(Connection(file()).integer("PRAGMA user_version"), 1000);
}

TEST_F(DatabaseTest, SchemaThatCannotBeIsSetAside) {
    { Database database(state()); }
    {
        Connection connection(file());
        connection.execute("PRAGMA user_version = -5");
    }
    Database database(state());
    save(database, 1);
    EXPECT_EQ(count(database), 1);
    EXPECT_TRUE(fs::exists(state() / "mullion.db.corrupt"));
}

// A crash between creating the file and making the schema.
TEST_F(DatabaseTest, EmptyFileIsBroughtUpToDate) {
    base::write_file_atomic(file(), "");
    Database database(state());
    EXPECT_EQ(count(database), 0);
}

TEST_F(DatabaseTest, FileThatIsNoDatabaseIsSetAside) {
    base::write_file_atomic(file(), std::string(10'000, 'x'));
    Database database(state());
    save(database, 1);
    EXPECT_EQ(count(database), 1);
    EXPECT_EQ(fs::file_size(state() / "mullion.db.corrupt"), 10'000u);
}

TEST_F(DatabaseTest, DamageFoundWhileOpenIsSetAside) {
    Database database(state());
    for (int i = 0; i < 2000; ++i) save(database, i);
    database.run([](Connection& connection) { connection.execute("PRAGMA wal_checkpoint(TRUNCATE)"); });
    // Everything behind the first page, which holds the schema.
    overwrite(4096, std::string(fs::file_size(file()) - 4096, '\xee'));
    database.run([](Connection& connection) { connection.execute("PRAGMA shrink_memory"); });
    EXPECT_EQ(count(database), 0);
    save(database, 1);
    EXPECT_EQ(count(database), 1);
    EXPECT_TRUE(fs::exists(state() / "mullion.db.corrupt"));
}

TEST_F(DatabaseTest, WellFormedFileWithForeignRowsIsSetAside) {
    Database database(state());
    database.run([](Connection& connection) {
        connection.execute("INSERT INTO records VALUES (x'00', x'01', 'x', 0)");
    });
    auto first_canonical = [](Connection& connection) -> std::optional<base::Digest> {
        Statement& query = connection.statement("SELECT canonical FROM records");
        if (!query.step()) return {};
        return query.digest(0);
    };
    EXPECT_FALSE(database.run(first_canonical));
    EXPECT_TRUE(fs::exists(state() / "mullion.db.corrupt"));
}

TEST_F(DatabaseTest, HealthyFileIsNotSetAsideOnSuspicion) {
    Database database(state());
    save(database, 1);
    int calls = 0;
    database.run([&](Connection&) {
        if (++calls == 1) throw base::Error(ErrorCode::Corrupt, "suspected");
    });
    EXPECT_EQ(calls, 2);
    EXPECT_EQ(count(database), 1);
    EXPECT_FALSE(fs::exists(state() / "mullion.db.corrupt"));
}

TEST_F(DatabaseTest, OtherErrorsPassThrough) {
    Database database(state());
    EXPECT_EQ(code_of([&] {
                  database.run([](Connection&) { throw base::Error(ErrorCode::NotFound, "not here"); });
              }),
              ErrorCode::NotFound);
}

TEST_F(DatabaseTest, DamagedFileIsReplacedOnceByManyProcesses) {
    base::write_file_atomic(file(), std::string(10'000, 'x'));
    run_processes(4, [&](int number) {
        Database database(state());
        save(database, number);
    });
    Database database(state());
    EXPECT_EQ(count(database), 4);
}

TEST_F(DatabaseTest, ManyProcessesMakeTheSchemaOnce) {
    for (int round = 0; round < 5; ++round) {
        fs::remove_all(state());
        fs::create_directories(state());
        run_processes(6, [&](int number) {
            Database database(state());
            save(database, number);
        });
        Database database(state());
        EXPECT_EQ(count(database), 6);
        EXPECT_FALSE(fs::exists(state() / "mullion.db.corrupt"));
    }
}

}  // namespace
}  // namespace mullion::cache
