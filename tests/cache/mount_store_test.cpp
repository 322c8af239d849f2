#include "cache/mount_store.hpp"

#include <gmock/gmock.h>
#include <signal.h>

#include <thread>

#include "tests/cache/child_processes.hpp"
#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using namespace std::chrono_literals;

class MountStoreTest : public StateFixture {
  protected:
    static CacheMountRequest request(MountSharing sharing = MountSharing::Shared, int number = 1) {
        return {key(number), "/id-" + std::to_string(number), sharing};
    }
    static CacheMount take(State& opened, MountSharing sharing = MountSharing::Shared, int number = 1) {
        return opened.mounts().take(request(sharing, number), {}, {});
    }
};

TEST_F(MountStoreTest, DirectoriesStayAndAreDescribed) {
    {
        State opened(state());
        EXPECT_THAT(opened.mounts().list(), ::testing::IsEmpty());
        CacheMount mount = take(opened);
        EXPECT_TRUE(fs::is_empty(mount.files()));
        base::write_file_atomic(mount.files() / "a", "12345");
        ASSERT_EQ(opened.mounts().list().size(), 1u);
        EXPECT_TRUE(opened.mounts().list()[0].in_use);
    }
    State opened(state());
    EXPECT_EQ(base::read_file(take(opened).files() / "a", 10), "12345");
    CacheMountInfo info = opened.mounts().list().at(0);
    EXPECT_EQ(info.id, "/id-1");
    EXPECT_EQ(info.size, 5u);
    EXPECT_EQ(info.uses, 2u);
    EXPECT_FALSE(info.in_use);
    EXPECT_GE(info.used, info.created);
}

TEST_F(MountStoreTest, NewOnesAreFilledOnceAndNeverSeenHalf) {
    State opened(state());
    int fills = 0;
    auto fill = [&](const fs::path& files) {
        ++fills;
        base::write_file_atomic(files / "seed", "x");
        EXPECT_THAT(opened.mounts().list(), ::testing::IsEmpty());
    };
    EXPECT_THROW(opened.mounts().take(
                     request(), [](const fs::path&) { throw base::Error(base::ErrorCode::Io, "disk"); }, {}),
                 base::Error);
    EXPECT_TRUE(fs::exists(opened.mounts().take(request(), fill, {}).files() / "seed"));
    EXPECT_TRUE(fs::exists(opened.mounts().take(request(), fill, {}).files() / "seed"));
    EXPECT_EQ(fills, 1);
}

TEST_F(MountStoreTest, SharedMeansTogether) {
    State opened(state());
    CacheMount first = take(opened);
    CacheMount second = take(opened);
    EXPECT_EQ(first.files(), second.files());
    EXPECT_NE(take(opened, MountSharing::Shared, 2).files(), first.files());
}

TEST_F(MountStoreTest, PrivateMeansAnotherOneWhileTheFirstIsInUse) {
    State opened(state());
    fs::path first_files;
    {
        CacheMount first = take(opened, MountSharing::Private);
        CacheMount second = take(opened, MountSharing::Private);
        EXPECT_NE(first.files(), second.files());
        EXPECT_EQ(opened.mounts().list().size(), 2u);
        first_files = first.files();
    }
    EXPECT_EQ(take(opened, MountSharing::Private).files(), first_files);
    EXPECT_EQ(opened.mounts().list().size(), 2u);
}

TEST_F(MountStoreTest, LockedWaitsAlsoForOtherProcesses) {
    base::write_file_atomic(path("log"), "");
    auto note = [&](char c) {
        base::FileLock lock(path("log-lock"), base::FileLock::Mode::Exclusive);
        base::write_file_atomic(path("log"), base::read_file(path("log"), 1000) + c);
    };
    run_processes(4, [&](int) {
        State opened(state());
        CacheMount mount = take(opened, MountSharing::Locked);
        note('(');
        std::this_thread::sleep_for(20ms);
        note(')');
    });
    EXPECT_EQ(base::read_file(path("log"), 1000), "()()()()");
    State opened(state());
    EXPECT_EQ(opened.mounts().list().size(), 1u);
}

TEST_F(MountStoreTest, WaitingCanBeCanceled) {
    State opened(state());
    CacheMount held = take(opened, MountSharing::Locked);
    base::CancelSource source;
    std::thread canceller([&] {
        std::this_thread::sleep_for(30ms);
        source.cancel();
    });
    EXPECT_EQ(code_of([&] { opened.mounts().take(request(MountSharing::Locked), {}, source.token()); }),
              base::ErrorCode::Canceled);
    canceller.join();
}

TEST_F(MountStoreTest, KilledUsersHoldNothing) {
    pid_t child = start([&] {
        State opened(state());
        CacheMount mount = take(opened, MountSharing::Locked);
        base::write_file_atomic(mount.files() / "half", "written");
        base::write_file_atomic(path("ready"), "");
        std::this_thread::sleep_for(60s);
    });
    while (!fs::exists(path("ready"))) std::this_thread::sleep_for(1ms);
    ::kill(child, SIGKILL);
    wait_for(child);
    State opened(state());
    EXPECT_TRUE(fs::exists(take(opened, MountSharing::Locked).files() / "half"));
}

TEST_F(MountStoreTest, RemovingTellsTheSizeAndSparesWhatIsInUse) {
    State opened(state());
    std::string name;
    {
        CacheMount mount = take(opened);
        base::write_file_atomic(mount.files() / "a", "1234567");
        name = opened.mounts().list().at(0).name;
        EXPECT_EQ(code_of([&] { opened.mounts().remove(name); }), base::ErrorCode::Unavailable);
    }
    EXPECT_EQ(opened.mounts().remove(name), 7u);
    EXPECT_THAT(opened.mounts().list(), ::testing::IsEmpty());
    for (const std::string& bad : {name, std::string("../tmp"), std::string("lock"), std::string()}) {
        EXPECT_EQ(code_of([&] { opened.mounts().remove(bad); }), base::ErrorCode::NotFound) << bad;
    }
}

TEST_F(MountStoreTest, PruningTakesWhatIsUnwantedAndUnused) {
    State opened(state());
    take(opened, MountSharing::Shared, 1);
    take(opened, MountSharing::Shared, 2);
    CacheMount held = take(opened, MountSharing::Shared, 3);
    auto removed = opened.mounts().prune([](const CacheMountInfo& mount) { return mount.id != "/id-2"; });
    ASSERT_EQ(removed.size(), 1u);
    EXPECT_EQ(removed[0].id, "/id-1");
    EXPECT_EQ(opened.mounts().list().size(), 2u);
}

TEST_F(MountStoreTest, ADamagedDescriptionIsNoEndOfTheCache) {
    State opened(state());
    base::write_file_atomic(take(opened).files() / "a", "1");
    fs::path directory = state() / "mounts" / opened.mounts().list().at(0).name;
    base::write_file_atomic(directory / "mount.json", "{");
    EXPECT_EQ(base::read_file(take(opened).files() / "a", 10), "1");
    EXPECT_EQ(opened.mounts().list().at(0).uses, 1u);
}

TEST_F(MountStoreTest, GarbageCollectionTakesThoseUnusedForAMonth) {
    State opened(state());
    base::write_file_atomic(take(opened, MountSharing::Shared, 1).files() / "a", "1234");
    take(opened, MountSharing::Shared, 2);
    for (const CacheMountInfo& mount : opened.mounts().list()) {
        if (mount.id != "/id-1") continue;
        base::write_file_atomic(state() / "mounts" / mount.name / "mount.json",
                                R"({"id":"/id-1","created":"2020-01-01T00:00:00Z",)"
                                R"("used":"2020-01-01T00:00:00Z","uses":1})");
    }
    EXPECT_EQ(opened.images().collect_garbage(), 4u);
    ASSERT_EQ(opened.mounts().list().size(), 1u);
    EXPECT_EQ(opened.mounts().list()[0].id, "/id-2");
}

}  // namespace
}  // namespace mullion::cache
