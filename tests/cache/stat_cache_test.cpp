#include "cache/stat_cache.hpp"

#include <random>
#include <thread>

#include "cache/database.hpp"
#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using tree::StatIdentity;

class StatCacheTest : public StateFixture {
  protected:
    void SetUp() override {
        fs::create_directories(state());
        database_ = std::make_unique<Database>(state());
        reopen();
    }
    void reopen() {
        stats_.reset();
        stats_ = make_sqlite_stat_cache(*database_);
    }
    std::int64_t rows() {
        return database_->run(
            [](Connection& connection) { return connection.integer("SELECT count(*) FROM files"); });
    }
    std::unique_ptr<Database> database_;
    std::unique_ptr<tree::StatCache> stats_;
};

const StatIdentity kFile{1, 2, 3, 4, 5};

TEST_F(StatCacheTest, RemembersAcrossReopening) {
    stats_->remember(kFile, key(1));
    EXPECT_EQ(stats_->find(kFile), key(1));
    reopen();
    EXPECT_EQ(stats_->find(kFile), key(1));
}

TEST_F(StatCacheTest, EveryPartOfTheIdentityCounts) {
    stats_->remember(kFile, key(1));
    reopen();
    for (StatIdentity other :
         {StatIdentity{9, 2, 3, 4, 5}, StatIdentity{1, 9, 3, 4, 5}, StatIdentity{1, 2, 9, 4, 5},
          StatIdentity{1, 2, 3, 9, 5}, StatIdentity{1, 2, 3, 4, 9}}) {
        EXPECT_FALSE(stats_->find(other));
    }
    EXPECT_TRUE(stats_->find(kFile));
}

TEST_F(StatCacheTest, NewerIdentityOfAFileReplacesTheOlder) {
    stats_->remember(kFile, key(1));
    reopen();
    StatIdentity changed{1, 2, 3, 4, 6};
    EXPECT_FALSE(stats_->find(changed));
    stats_->remember(changed, key(2));
    reopen();
    EXPECT_EQ(stats_->find(changed), key(2));
    EXPECT_FALSE(stats_->find(kFile));
    EXPECT_EQ(rows(), 1);
}

TEST_F(StatCacheTest, ExtremeNumbersAreNumbersToo) {
    StatIdentity extreme{UINT64_MAX, UINT64_MAX, UINT64_MAX, INT64_MIN, INT64_MAX};
    StatIdentity middle{1ull << 63, (1ull << 63) - 1, 0, -1, 0};
    stats_->remember(extreme, key(1));
    stats_->remember(middle, key(2));
    reopen();
    EXPECT_EQ(stats_->find(extreme), key(1));
    EXPECT_EQ(stats_->find(middle), key(2));
}

TEST_F(StatCacheTest, EntriesAreWrittenInBatches) {
    for (std::uint64_t i = 0; i < 19'999; ++i) stats_->remember({1, i, 0, 0, 0}, key(1));
    EXPECT_EQ(rows(), 0);
    stats_->remember({1, 19'999, 0, 0, 0}, key(1));
    EXPECT_EQ(rows(), 20'000);
}

TEST_F(StatCacheTest, WhatWasLearntBeforeTheFirstLookIsNotOverwrittenByOlderRows) {
    stats_->remember(kFile, key(1));
    reopen();
    StatIdentity changed{1, 2, 3, 4, 6};
    stats_->remember(changed, key(2));
    EXPECT_EQ(stats_->find(changed), key(2));
}

TEST_F(StatCacheTest, UseIsNotedOnceAWeek) {
    stats_->remember(kFile, key(1));
    reopen();
    auto set_used = [&](std::int64_t day) {
        database_->run([&](Connection& connection) {
            connection.statement("UPDATE files SET used = ?").bind(1, day).run();
        });
        reopen();
        stats_->find(kFile);
        reopen();
        return database_->run(
            [](Connection& connection) { return connection.integer("SELECT used FROM files"); });
    };
    EXPECT_EQ(set_used(Database::today() - 6), Database::today() - 6);
    EXPECT_EQ(set_used(Database::today() - 7), Database::today());
}

TEST_F(StatCacheTest, AgreesWithAMapUnderRandomUse) {
    std::mt19937 random(42);
    std::map<std::uint64_t, std::pair<StatIdentity, int>> model;
    for (int step = 0; step < 5000; ++step) {
        std::uint64_t inode = random() % 300 * 977;
        if (random() % 500 == 0) reopen();
        if (random() % 2 == 0) {
            StatIdentity identity{1, inode, random() % 3, 0, static_cast<std::int64_t>(random() % 3)};
            stats_->remember(identity, key(step));
            model.insert_or_assign(inode, std::pair(identity, step));
        } else {
            StatIdentity identity{1, inode, random() % 3, 0, static_cast<std::int64_t>(random() % 3)};
            auto known = model.find(inode);
            bool expected = known != model.end() && known->second.first == identity;
            auto found = stats_->find(identity);
            ASSERT_EQ(found.has_value(), expected);
            ASSERT_TRUE(!expected || *found == key(known->second.second));
        }
    }
}

TEST_F(StatCacheTest, ThreadsShareACache) {
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (std::uint64_t i = 0; i < 500; ++i) {
                stats_->remember({1, i * 37, t, 0, 0}, key(static_cast<int>(t)));
                stats_->find({1, i * 37, 0, 0, 0});
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
    reopen();
    EXPECT_EQ(rows(), 500);
}

}  // namespace
}  // namespace mullion::cache
