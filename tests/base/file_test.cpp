#include "base/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "base/error.hpp"
#include "tests/support/as_nobody.hpp"

namespace mullion::base {
namespace {

using namespace std::chrono_literals;

class FileTest : public testing::Test {
  protected:
    fs::path path(std::string_view name) const { return directory_.path() / name; }
    std::size_t entries() const {
        return static_cast<std::size_t>(
            std::distance(fs::directory_iterator(directory_.path()), fs::directory_iterator()));
    }
    TempDir directory_{fs::temp_directory_path(), "file-test"};
};

ErrorCode code_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        return error.code();
    }
    return ErrorCode::Internal;
}

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

TEST_F(FileTest, AtomicFileWritesThroughSymlinks) {
    write_file_atomic(path("real"), "old");
    fs::create_directory(path("d"));
    fs::create_symlink("../real", path("d") / "link");
    fs::create_symlink(path("d") / "link", path("chain"));
    write_file_atomic(path("chain"), "new");
    EXPECT_EQ(read_file(path("real"), 10), "new");
    EXPECT_TRUE(fs::is_symlink(path("chain")));
    EXPECT_TRUE(fs::is_symlink(path("d") / "link"));
    fs::create_symlink("later", path("dangling"));
    write_file_atomic(path("dangling"), "made");
    EXPECT_EQ(read_file(path("later"), 10), "made");
    EXPECT_TRUE(fs::is_symlink(path("dangling")));
    fs::create_symlink("circle", path("circle"));
    EXPECT_THROW(write_file_atomic(path("circle"), "x"), Error);
    EXPECT_TRUE(fs::is_symlink(path("circle")));
}

TEST_F(FileTest, AtomicFileReplacesNothingButFiles) {
    ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    fs::create_directory(path("directory"));
    fs::create_symlink("/dev/null", path("device"));
    fs::create_symlink("fifo", path("link"));
    auto refusal = [&](const char* name) {
        try {
            write_file_atomic(path(name), "x");
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Invalid);
            EXPECT_EQ(error.hint().empty(), name == std::string_view("directory"));
            return std::string(error.what());
        }
        return std::string("accepted");
    };
    EXPECT_NE(refusal("fifo").find("fifo: it is a FIFO"), std::string::npos);
    EXPECT_NE(refusal("link").find("it is a FIFO"), std::string::npos);
    EXPECT_NE(refusal("directory").find("it is a directory"), std::string::npos);
    EXPECT_NE(refusal("device").find("it is a device"), std::string::npos);
    EXPECT_TRUE(fs::is_symlink(path("device")));
    EXPECT_TRUE(fs::is_fifo(path("fifo")));
    EXPECT_EQ(entries(), 4u);
}

TEST_F(FileTest, PendingFileFollowsNoLink) {
    write_file_atomic(path("real"), "old");
    fs::create_symlink("real", path("link"));
    PendingFile file(directory_.path());
    file.write("new");
    file.publish(path("link"));
    EXPECT_EQ(read_file(path("real"), 10), "old");
    EXPECT_EQ(read_file(path("link"), 10), "new");
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

TEST_F(FileTest, SourceReadsPipes) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    write_all(ends[1], "through a pipe", "pipe");
    ::close(ends[1]);
    FileSource source(UniqueFd{ends[0]}, 0, UINT64_MAX);
    source.skip(8, "x");
    EXPECT_EQ(source.read_all(100, "x"), "a pipe");
}

TEST_F(FileTest, WriteErrorsNameTheFile) {
    UniqueFd full(::open("/dev/full", O_WRONLY | O_CLOEXEC));
    if (!full) GTEST_SKIP() << "no /dev/full";
    try {
        write_all(full.get(), "x", "/the/blob");
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Exhausted);
        EXPECT_NE(std::string(error.what()).find("/the/blob"), std::string::npos);
    }
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

TEST_F(FileTest, LockEndsThoughAForkedChildInheritedIt) {
    std::optional<FileLock> lock(std::in_place, path("lock"), FileLock::Mode::Exclusive);
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    pid_t child = ::fork();
    if (child == 0) {
        char wait;
        ::close(ends[1]);
        ::_exit(::read(ends[0], &wait, 1) == 0 ? 0 : 1);
    }
    lock.reset();
    EXPECT_TRUE(FileLock::try_lock(path("lock"), FileLock::Mode::Exclusive));
    ::close(ends[1]);
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    ::close(ends[0]);
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

TEST_F(FileTest, DeniedDirectoriesAreNamed) {
    ::chmod(directory_.path().c_str(), 0555);
    test::expect_as_nobody([&] {
        return code_of([&] { write_file_atomic(path("a"), "x"); }) == ErrorCode::Denied &&
               code_of([&] { make_directories(path("d")); }) == ErrorCode::Denied &&
               code_of([&] { TempDir(directory_.path(), "t"); }) == ErrorCode::Denied;
    });
}

}  // namespace
}  // namespace mullion::base
