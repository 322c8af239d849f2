#include "cache/key_store.hpp"

#include <thread>

#include "cache/database.hpp"
#include "cache/sqlite_key_store.hpp"
#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;

class KeyStoreTest : public StateFixture {
  protected:
    void SetUp() override {
        fs::create_directories(state());
        database_ = std::make_unique<Database>(state());
        keys_ = make_sqlite_key_store(*database_);
    }
    std::unique_ptr<Database> database_;
    std::unique_ptr<KeyStore> keys_;
};

TEST_F(KeyStoreTest, FindsWhatWasSavedUnderEveryKey) {
    keys_->save({key(1), key(2)}, {key(2), "payload"});
    for (int number : {1, 2}) {
        auto record = keys_->find(key(number));
        ASSERT_TRUE(record);
        EXPECT_EQ(record->canonical, key(2));
        EXPECT_EQ(record->payload, "payload");
    }
    EXPECT_FALSE(keys_->find(key(3)));
}

TEST_F(KeyStoreTest, SavingAgainReplaces) {
    keys_->save({key(1)}, {key(1), "old"});
    keys_->save({key(1)}, {key(9), ""});
    EXPECT_EQ(keys_->find(key(1))->canonical, key(9));
    EXPECT_EQ(keys_->find(key(1))->payload, "");
}

TEST_F(KeyStoreTest, ForgottenKeyIsGoneAndOthersStay) {
    keys_->save({key(1), key(2)}, {key(1), "x"});
    keys_->forget(key(1));
    keys_->forget(key(7));
    EXPECT_FALSE(keys_->find(key(1)));
    EXPECT_TRUE(keys_->find(key(2)));
}

TEST_F(KeyStoreTest, PayloadIsAnyBytes) {
    std::string payload("a\0b\xff\n'", 6);
    keys_->save({key(1)}, {key(1), payload});
    EXPECT_EQ(keys_->find(key(1))->payload, payload);
    std::string large(1'000'000, '\x80');
    keys_->save({key(2)}, {key(2), large});
    EXPECT_EQ(keys_->find(key(2))->payload, large);
}

TEST_F(KeyStoreTest, SavedRecordIsSeenByAnotherConnectionAtOnce) {
    Database other(state());
    auto others = make_sqlite_key_store(other);
    EXPECT_FALSE(others->find(key(1)));
    keys_->save({key(1)}, {key(1), "x"});
    EXPECT_TRUE(others->find(key(1)));
}

TEST_F(KeyStoreTest, ThreadsShareAStore) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                keys_->save({key(t * 1000 + i)}, {key(t), std::to_string(i)});
                EXPECT_TRUE(keys_->find(key(t * 1000 + i)));
                keys_->find(key(i));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

TEST_F(KeyStoreTest, UseIsWrittenOnceADayWhenTheStoreGoes) {
    keys_->save({key(1)}, {key(1), "x"});
    auto used = [&] {
        return database_->run(
            [](Connection& connection) { return connection.integer("SELECT used FROM records"); });
    };
    database_->run([](Connection& connection) { connection.execute("UPDATE records SET used = 5"); });
    keys_->find(key(1));
    EXPECT_EQ(used(), 5);
    keys_.reset();
    EXPECT_EQ(used(), Database::today());
}

}  // namespace
}  // namespace mullion::cache
