#include "base/file.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "tests/base/file_fixture.hpp"

namespace mullion::base {
namespace {

using namespace std::chrono_literals;

TEST_F(FileTest, AtomicWriteReplacesWholeFiles) {
    write_file_atomic(path("a"), "one");
    write_file_atomic(path("a"), "two");
    EXPECT_EQ(read_file(path("a"), 10), "two");
    EXPECT_EQ(entries(), 1u);
}

TEST_F(FileTest, AtomicFileLeavesNothingUnlessFinished) {
    {
        AtomicFile file(path("a"));
        file.write("half");
        EXPECT_FALSE(fs::exists(path("a")));
    }
    EXPECT_EQ(entries(), 0u);
}

TEST_F(FileTest, AtomicFileMakesParentsAndMaySync) {
    AtomicFile file(path("x") / "y" / "z", true);
    file.write("data");
    file.finish();
    EXPECT_EQ(read_file(path("x") / "y" / "z", 10), "data");
}

TEST_F(FileTest, ReadersNeverSeeAHalfWrittenFile) {
    std::string ones(100'000, '1'), twos(50'000, '2');
    write_file_atomic(path("a"), ones);
    std::atomic<bool> stop{false};
    std::thread writer([&] {
        while (!stop) {
            write_file_atomic(path("a"), twos);
            write_file_atomic(path("a"), ones);
        }
    });
    for (int i = 0; i < 200; ++i) {
        std::string seen = read_file(path("a"), 1'000'000);
        EXPECT_TRUE(seen == ones || seen == twos);
    }
    stop = true;
    writer.join();
}

TEST_F(FileTest, MissingFilesAndDirectoriesInTheWay) {
    EXPECT_EQ(code_of([&] { read_file(path("none"), 10); }), ErrorCode::NotFound);
    EXPECT_FALSE(try_read_file(path("none"), 10));
    write_file_atomic(path("a"), "x");
    EXPECT_FALSE(try_read_file(path("a") / "b", 10));
    EXPECT_EQ(code_of([&] { make_directories(path("a")); }), ErrorCode::NotFound);
    EXPECT_EQ(code_of([&] { make_directories(path("a") / "b"); }), ErrorCode::NotFound);
    try {
        read_file(directory_.path(), 10);
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find(directory_.path().string()), std::string::npos);
    }
}

TEST_F(FileTest, ReadFileIsBounded) {
    write_file_atomic(path("a"), "12345");
    EXPECT_EQ(read_file(path("a"), 5), "12345");
    EXPECT_EQ(code_of([&] { read_file(path("a"), 4); }), ErrorCode::Invalid);
}

TEST_F(FileTest, SourceReadsARange) {
    write_file_atomic(path("a"), "0123456789");
    FileSource middle(open_read(path("a")), 3, 4);
    EXPECT_EQ(middle.read_all(10, "x"), "3456");
    FileSource beyond(open_read(path("a")), 20, 4);
    EXPECT_EQ(beyond.read_all(10, "x"), "");
    FileSource huge(open_read(path("a")), 8, UINT64_MAX);
    EXPECT_EQ(huge.read_all(10, "x"), "89");
}

TEST_F(FileTest, SourceSkipsWithinItsRange) {
    write_file_atomic(path("a"), "0123456789");
    FileSource source(open_read(path("a")), 2, 5);
    source.skip(3, "x");
    EXPECT_EQ(source.read_all(10, "x"), "56");
    FileSource too_far(open_read(path("a")), 2, 5);
    EXPECT_EQ(code_of([&] { too_far.skip(6, "x"); }), ErrorCode::Corrupt);
}

TEST_F(FileTest, TempDirGoesAwayWithItsContent) {
    fs::path kept;
    {
        TempDir temporary(directory_.path(), "t");
        write_file_atomic(temporary.path() / "sub" / "file", "x");
        TempDir moved(std::move(temporary));
        EXPECT_TRUE(fs::exists(moved.path()));
    }
    EXPECT_EQ(entries(), 0u);
    {
        TempDir temporary(directory_.path(), "t");
        kept = temporary.release();
    }
    EXPECT_TRUE(fs::exists(kept));
}

TEST_F(FileTest, ExclusiveLockExcludesAndEndsWithItsOwner) {
    std::optional<FileLock> first(std::in_place, path("lock"), FileLock::Mode::Exclusive);
    EXPECT_FALSE(FileLock::try_lock(path("lock"), FileLock::Mode::Exclusive));
    EXPECT_FALSE(FileLock::try_lock(path("lock"), FileLock::Mode::Shared));
    first.reset();
    EXPECT_TRUE(FileLock::try_lock(path("lock"), FileLock::Mode::Exclusive));
}

TEST_F(FileTest, SharedLocksShare) {
    FileLock first(path("lock"), FileLock::Mode::Shared);
    EXPECT_TRUE(FileLock::try_lock(path("lock"), FileLock::Mode::Shared));
    EXPECT_FALSE(FileLock::try_lock(path("lock"), FileLock::Mode::Exclusive));
}

TEST_F(FileTest, WaitingForALockCanBeCanceled) {
    FileLock held(path("lock"), FileLock::Mode::Exclusive);
    CancelSource source;
    std::thread canceler([&] {
        std::this_thread::sleep_for(20ms);
        source.cancel();
    });
    EXPECT_EQ(code_of([&] { FileLock(path("lock"), FileLock::Mode::Exclusive, source.token()); }),
              ErrorCode::Canceled);
    canceler.join();
}

}  // namespace
}  // namespace mullion::base
