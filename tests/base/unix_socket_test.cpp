#include "base/unix_socket.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/error.hpp"

namespace mullion::base {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

TEST(UnixSocket, IsReachedWhileSomebodyListens) {
    TempDir directory(fs::temp_directory_path());
    const std::string path = (directory.path() / "s").string();
    EXPECT_FALSE(connect_unix(path));
    {
        UniqueFd listener = listen_unix(path);
        EXPECT_TRUE(connect_unix(path));
    }
    EXPECT_FALSE(connect_unix(path));
    EXPECT_THROW(listen_unix(path), Error);
}

TEST(UnixSocket, PathsThatTheKernelWouldCutAreInvalid) {
    check_unix_path(std::string(107, 'x'));
    for (auto* use : {+[](const std::string& path) { listen_unix(path); },
                      +[](const std::string& path) { connect_unix(path); }}) {
        try {
            use("/" + std::string(107, 'x'));
            FAIL() << "no error";
        } catch (const Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Invalid);
        }
    }
}

TEST(TempSocket, LiesInADirectoryForUsAlone) {
    TempDir parent(fs::temp_directory_path());
    fs::path directory;
    {
        TempSocket socket(parent.path());
        directory = fs::path(socket.path()).parent_path();
        EXPECT_EQ(directory.parent_path(), parent.path());
        EXPECT_EQ(fs::status(directory).permissions(), fs::perms::owner_all);
        EXPECT_TRUE(listen_unix(socket.path()));
    }
    EXPECT_FALSE(fs::exists(directory));
}

TEST(TempSocket, LiesBelowTheSystemsTemporaryDirectoryIfItsPathWereTooLong) {
    TempDir parent(fs::temp_directory_path());
    fs::path far = parent.path() / std::string(100, 'x');
    TempSocket socket(far);
    EXPECT_TRUE(listen_unix(socket.path()));
    EXPECT_TRUE(fs::is_empty(far));
    EXPECT_EQ(fs::path(socket.path()).parent_path().parent_path(), fs::temp_directory_path());
}

TEST(TempSocket, SaysSoIfThatIsTooLongAsWell) {
    TempDir parent(fs::temp_directory_path());
    fs::path far = parent.path() / std::string(100, 'x');
    fs::create_directory(far);
    const char* before = std::getenv("TMPDIR");
    const std::string saved = before == nullptr ? "" : before;
    ::setenv("TMPDIR", far.c_str(), 1);
    try {
        TempSocket socket(far);
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Invalid);
        EXPECT_THAT(error.what(), HasSubstr(far.string()));
        EXPECT_THAT(error.hint(), HasSubstr("TMPDIR"));
    }
    before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", saved.c_str(), 1);
    EXPECT_TRUE(fs::is_empty(far));
}

}  // namespace
}  // namespace mullion::base
