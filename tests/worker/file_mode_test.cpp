#include "worker/file_mode.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"

namespace mullion::worker {
namespace {

// What chmod(1) makes of a mode. Without a class in front, "+x" is for all where the umask is 0.
std::uint32_t by_chmod(const std::filesystem::path& path, std::uint32_t bits, const std::string& mode) {
    EXPECT_EQ(::chmod(path.c_str(), bits), 0);
    base::ProcessOptions options;
    options.argv = {"chmod", "--", mode, path.string()};
    EXPECT_EQ(base::run_and_capture(options, {}).exit_code, 0) << mode;
    struct stat info {};
    EXPECT_EQ(::stat(path.c_str(), &info), 0);
    return info.st_mode & 07777;
}

TEST(FileMode, DoesWhatChmodDoes) {
    base::TempDir directory(std::filesystem::temp_directory_path(), "mode");
    std::filesystem::path file = directory.path() / "file";
    base::write_file_atomic(file, "x");
    mode_t before = ::umask(0);
    for (const char* mode :
         {"755",        "0644", "4711", "00600", "u+x",  "+x",     "a-w", "go=r", "u=rwx,g=rx,o=", "ug+rw",
          "u+x,go-rwx", "g=u",  "o=g",  "u-s",   "u+s",  "g+s",    "+t",  "o+t",  "a+X",           "g+X",
          "u=rw+x-r",   "=",    "=r",   "-x",    "+rwx", "ugo=rx", "g-u", "u=g+w"}) {
        for (std::uint32_t bits : {0644U, 0600U, 0755U, 0U, 0777U, 0711U, 04755U}) {
            EXPECT_EQ(FileMode::parse(mode).apply(bits, false), by_chmod(file, bits, mode))
                << mode << " of " << std::oct << bits;
        }
    }
    ::umask(before);
}

TEST(FileMode, DirectoriesAreExecutedByX) {
    EXPECT_EQ(FileMode::parse("a+X").apply(0644, true), 0755U);
    EXPECT_EQ(FileMode::parse("a+X").apply(0644, false), 0644U);
}

TEST(FileMode, AnythingElseIsNoMode) {
    for (const char* mode :
         {"", "9", "77777", "u", "x", "u+q", "u+x,", ",u+x", "u+x go=r", "8", "+ug", "rwx"}) {
        try {
            FileMode::parse(mode);
            ADD_FAILURE() << mode;
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), base::ErrorCode::Invalid) << mode;
            EXPECT_NE(std::string(error.what()).find("invalid chmod parameter"), std::string::npos);
        }
    }
}

}  // namespace
}  // namespace mullion::worker
