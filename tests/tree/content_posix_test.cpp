#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/tree/content_fixture.hpp"
#include "tree/content.hpp"

namespace mullion::tree {
namespace {

TEST_F(ContentTest, ALinkInTheFilesPlaceIsNotFollowed) {
    fs::path path = write("f", "abc");
    Content content = content_of(path);
    fs::rename(path, directory_.path() / "g");
    fs::create_symlink("g", path);
    expect_error(ErrorCode::Unavailable, "f changed", [&] { host_.open(content, {}); });
}

TEST_F(ContentTest, APipeInTheFilesPlaceDoesNotHang) {
    fs::path path = write("f", "abc");
    Content content = content_of(path);
    fs::remove(path);
    ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
    expect_error(ErrorCode::Unavailable, "f changed", [&] { host_.open(content, {}); });
}

}  // namespace
}  // namespace mullion::tree
