// What only POSIX systems have: FIFOs, devices, fork, modes, symlinks that anybody may make.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.hpp"
#include "tests/base/file_fixture.hpp"
#include "tests/support/as_nobody.hpp"

namespace mullion::base {
namespace {

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
