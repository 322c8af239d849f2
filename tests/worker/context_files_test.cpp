#include "worker/context_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.hpp"
#include "base/file.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using worker::read_context_file;
using worker::read_ignore_lines;

class ContextFilesTest : public testing::Test {
  protected:
    ContextFilesTest() : directory(fs::temp_directory_path(), "mullion-context") {
        fs::create_directory(path("context"));
    }
    fs::path path(const std::string& name) const { return directory.path() / name; }
    void write(const std::string& name, std::string_view data) const {
        base::write_file_atomic(path(name), data);
    }
    base::TempDir directory;
};

TEST_F(ContextFilesTest, ReadsFilesInside) {
    write("context/Dockerfile", "FROM scratch\n");
    EXPECT_EQ(read_context_file(path("context"), "Dockerfile", 100), "FROM scratch\n");
    EXPECT_EQ(read_context_file(path("context"), "absent", 100), std::nullopt);
    EXPECT_EQ(read_context_file(path("context"), "Dockerfile/x", 100), std::nullopt);
}

TEST_F(ContextFilesTest, RefusesWhatLeadsOutside) {
    write("secret", "x");
    fs::create_symlink("../secret", path("context/link"));
    fs::create_directory_symlink("..", path("context/up"));
    EXPECT_THROW(read_context_file(path("context"), "../secret", 100), base::Error);
    EXPECT_THROW(read_context_file(path("context"), "link", 100), base::Error);
    EXPECT_THROW(read_context_file(path("context"), "up/secret", 100), base::Error);
    EXPECT_THROW(read_context_file(path("context"), "/etc/passwd", 100), base::Error);
}

TEST_F(ContextFilesTest, FollowsLinksInside) {
    write("context/real", "x");
    fs::create_symlink("real", path("context/link"));
    EXPECT_EQ(read_context_file(path("context"), "link", 100), "x");
}

TEST_F(ContextFilesTest, RefusesWhatIsNoFileOrTooLarge) {
    write("context/large", std::string(101, 'x'));
    ASSERT_EQ(::mkfifo(path("context/fifo").c_str(), 0600), 0);
    EXPECT_THROW(read_context_file(path("context"), "large", 100), base::Error);
    EXPECT_THROW(read_context_file(path("context"), "fifo", 100), base::Error);
    EXPECT_THROW(read_context_file(path("context"), ".", 100), base::Error);
}

TEST_F(ContextFilesTest, IgnoreFileNextToTheDockerfileComesFirst) {
    write("context/.dockerignore", "general\r\n\n# no\n");
    EXPECT_THAT(read_ignore_lines(path("app.Dockerfile.dockerignore"), path("context/.dockerignore")),
                ElementsAre("general"));
    write("app.Dockerfile.dockerignore", "specific");
    EXPECT_THAT(read_ignore_lines(path("app.Dockerfile.dockerignore"), path("context/.dockerignore")),
                ElementsAre("specific"));
    EXPECT_TRUE(read_ignore_lines({}, path("context/none")).empty());
}

TEST_F(ContextFilesTest, IgnoreFilesAreConfinedAndDoNotBlock) {
    write("secret", "x");
    fs::create_symlink("../secret", path("context/link.dockerignore"));
    ASSERT_EQ(::mkfifo(path("context/fifo.dockerignore").c_str(), 0600), 0);
    for (const char* name : {"context/link.dockerignore", "context/fifo.dockerignore"}) {
        EXPECT_THROW(read_ignore_lines(path(name), path("context/.dockerignore")), base::Error) << name;
        EXPECT_THROW(read_ignore_lines({}, path(name)), base::Error) << name;
    }
}

TEST_F(ContextFilesTest, IgnoreFilesAreReadAsPatterns) {
    write("context/.dockerignore", "\xEF\xBB\xBF/a//b/\n# comment\n # no comment\n\n!  ./c \n");
    EXPECT_THAT(read_ignore_lines({}, path("context/.dockerignore")),
                ElementsAre("a/b", "# no comment", "!c"));
    write("context/.dockerignore", "a\n[b\n");
    try {
        read_ignore_lines({}, path("context/.dockerignore"));
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_THAT(error.what(), testing::HasSubstr(".dockerignore: line 2: [b: syntax error in pattern"));
    }
}

}  // namespace
}  // namespace mullion::test
