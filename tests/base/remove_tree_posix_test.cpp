#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/support/as_nobody.hpp"

namespace mullion::base {
namespace {

class RemoveTree : public testing::Test {
  protected:
    fs::path path(std::string_view name) const { return directory_.path() / name; }
    TempDir directory_{fs::temp_directory_path(), "remove-test"};
};

TEST_F(RemoveTree, RemovesFilesDirectoriesAndLinksButNotTheirTargets) {
    write_file_atomic(path("kept"), "x");
    write_file_atomic(path("t") / "a" / "b" / "file", "x");
    fs::create_symlink(path("kept"), path("t") / "a" / "link");
    fs::create_directory_symlink(directory_.path(), path("t") / "up");
    remove_tree(path("t"));
    EXPECT_FALSE(fs::exists(path("t")));
    EXPECT_TRUE(fs::exists(path("kept")));
}

TEST_F(RemoveTree, TakesSingleFilesLinksAndAbsentPaths) {
    write_file_atomic(path("kept"), "x");
    fs::create_symlink("kept", path("link"));
    remove_tree(path("link"));
    EXPECT_TRUE(fs::exists(path("kept")));
    remove_tree(path("kept"));
    EXPECT_FALSE(fs::exists(path("kept")));
    EXPECT_NO_THROW(remove_tree(path("kept")));
    EXPECT_NO_THROW(remove_tree(path("no") / "such" / "path"));
}

// Makes DIR/d/d/d/... with a file at the end.
void make_deep(const fs::path& top, int depth) {
    fs::create_directory(top);
    int at = ::open(top.c_str(), O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < depth; ++i) {
        ASSERT_EQ(::mkdirat(at, "d", 0755), 0);
        int next = ::openat(at, "d", O_RDONLY | O_DIRECTORY);
        ASSERT_GE(next, 0);
        ::close(at);
        at = next;
    }
    ::close(::openat(at, "file", O_CREAT | O_WRONLY, 0600));
    ::close(at);
}

TEST_F(RemoveTree, DepthCostsNeitherDescriptorsNorPathLength) {
    make_deep(path("t"), 5000);
    rlimit old{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &old), 0);
    rlimit few = old;
    few.rlim_cur = 200;
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    remove_tree(path("t"));
    ::setrlimit(RLIMIT_NOFILE, &old);
    EXPECT_FALSE(fs::exists(path("t")));
}

TEST_F(RemoveTree, TakesDirectoriesNobodyMayWriteOrRead) {
    ::chmod(directory_.path().c_str(), 0777);
    test::expect_as_nobody([&] {
        write_file_atomic(path("t") / "closed" / "inner" / "file", "x");
        write_file_atomic(path("t") / "locked" / "file", "x");
        ::chmod((path("t") / "closed" / "inner").c_str(), 0);
        ::chmod((path("t") / "closed").c_str(), 0555);
        ::chmod((path("t") / "locked").c_str(), 0);
        ::chmod(path("t").c_str(), 0500);
        remove_tree(path("t"));
        return !fs::exists(path("t"));
    });
}

TEST_F(RemoveTree, SaysWhatItCannotRemove) {
    try {
        remove_tree("/proc/self/status");
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("/proc/self/status"), std::string::npos);
    }
}

}  // namespace
}  // namespace mullion::base
