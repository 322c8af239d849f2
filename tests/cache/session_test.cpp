#include "cache/session.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/cache/child_processes.hpp"
#include "tests/cache/state_fixture.hpp"

namespace mullion::cache {
namespace {

using namespace testing;
using base::Digest;

class SessionTest : public StateFixture {
  protected:
    void SetUp() override { fs::create_directories(state()); }
    bool leased(const Digest& digest) const {
        std::vector<Digest> all = CollectionLock(state(), {}).leases();
        return std::find(all.begin(), all.end(), digest) != all.end();
    }
};

TEST_F(SessionTest, DirectoryLivesAsLongAsTheSession) {
    fs::path directory;
    {
        Session session(state());
        directory = session.directory();
        EXPECT_TRUE(fs::exists(directory));
        base::write_file_atomic(directory / "scratch" / "file", "x");
    }
    EXPECT_FALSE(fs::exists(directory));
}

TEST_F(SessionTest, LeasesAreSeenByOthersUntilTheSessionEnds) {
    {
        Session session(state());
        session.lease(key(1));
        session.lease(key(2));
        session.lease(key(1));
        EXPECT_TRUE(leased(key(1)));
        EXPECT_TRUE(leased(key(2)));
        EXPECT_FALSE(leased(key(3)));
        EXPECT_EQ(fs::file_size(session.directory() / "leases"), 64u);
    }
    EXPECT_FALSE(leased(key(1)));
}

TEST_F(SessionTest, LeaseCutShortByDeathIsIgnored) {
    Session session(state());
    session.lease(key(1));
    fs::resize_file(session.directory() / "leases", 40);
    EXPECT_EQ(CollectionLock(state(), {}).leases(), std::vector{key(1)});
}

TEST_F(SessionTest, NextProcessSweepsWhatADeadOneLeft) {
    pid_t child = start([&] {
        Session session(state());
        base::write_file_atomic(session.directory() / "deep" / "file", "x");
        session.lease(key(1));
        ::kill(::getpid(), SIGKILL);
    });
    wait_for(child);
    EXPECT_EQ(live_sessions(state()), 1u);
    Session session(state());
    EXPECT_EQ(base::list_directory(state() / "tmp"), std::vector{session.directory().filename().string()});
    EXPECT_FALSE(leased(key(1)));
}

// Wherever the process died: while it made the folder, or between moving it away and the end of its removal.
TEST_F(SessionTest, NextProcessRemovesTheLayersOfADeadOne) {
    auto die = [](const fs::path&) { ::kill(::getpid(), SIGKILL); };
    base::write_file_atomic(state() / "unwanted" / "file", "x");
    wait_for(start([&] {
        Session session(state(), die);
        TempLayer half(session);
        base::write_file_atomic(half.path() / "half", "x");
        session.remove_layer(session.put_aside(state() / "unwanted").value());
    }));
    EXPECT_FALSE(fs::exists(state() / "unwanted"));
    std::vector<std::string> removed;
    Session session(state(), [&](const fs::path& folder) {
        removed.push_back(base::list_directory(folder).at(0));
        base::remove_tree(folder);
    });
    EXPECT_THAT(removed, ::testing::UnorderedElementsAre("half", "file"));
    EXPECT_EQ(live_sessions(state()), 1u);
}

TEST_F(SessionTest, SweepingSparesTheLiving) {
    Session first(state());
    base::write_file_atomic(first.directory() / "file", "x");
    Session second(state());
    EXPECT_TRUE(fs::exists(first.directory() / "file"));
}

TEST_F(SessionTest, AnythingElseInTheDirectoryIsSwept) {
    base::write_file_atomic(state() / "tmp" / "stray", "x");
    base::write_file_atomic(state() / "tmp" / "stray-directory" / "file", "x");
    base::write_file_atomic(path("outside") / "file", "x");
    base::write_file_atomic(path("outside") / "layers" / "layer" / "file", "x");
    fs::create_directory_symlink(path("outside"), state() / "tmp" / "link");
    fs::create_directory_symlink(path("outside") / "layers", state() / "tmp" / "stray-directory" / "layers");
    Session session(state());
    EXPECT_EQ(live_sessions(state()), 1u);
    EXPECT_TRUE(fs::exists(path("outside") / "file"));
    EXPECT_TRUE(fs::exists(path("outside") / "layers" / "layer" / "file"));
}

TEST_F(SessionTest, CollectionKeepsLeasesWaiting) {
    Session session(state());
    session.lease(key(1));
    pid_t child;
    {
        CollectionLock lock(state(), {});
        child = start([&] {
            Session other(state());
            other.lease(key(2));
            base::write_file_atomic(path("leased"), "x");
        });
        ::usleep(50'000);
        EXPECT_FALSE(fs::exists(path("leased")));
    }
    EXPECT_EQ(wait_for(child), 0);
    EXPECT_TRUE(fs::exists(path("leased")));
}

}  // namespace
}  // namespace mullion::cache
