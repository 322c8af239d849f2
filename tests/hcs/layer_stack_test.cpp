#include "hcs/layer_stack.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.hpp"

namespace mullion::hcs {
namespace {

namespace fs = std::filesystem;

class LayerStackTest : public testing::Test {
  protected:
    void write(const fs::path& path, std::string_view data = "x") {
        base::write_file_atomic(directory.path() / path, data);
    }
    LayerStack stack() { return LayerStack({directory.path() / "top", directory.path() / "base"}); }

    base::TempDir directory{fs::temp_directory_path(), "layer-stack"};
};

TEST_F(LayerStackTest, FindsWithoutCaseAndSpellsAsTheLayersDo) {
    write("base/Program Files/App.exe");
    write("top/other");
    LayerStack layers = stack();
    ASSERT_TRUE(layers.find("PROGRAM files/app.EXE"));
    EXPECT_EQ(layers.find("PROGRAM files/app.EXE")->path, "Program Files/App.exe");
    EXPECT_EQ(layers.fold_to_casing("program files/NEW/x"), "Program Files/NEW/x");
    EXPECT_FALSE(layers.find("absent"));
    EXPECT_FALSE(layers.find("other/below a file"));
}

TEST_F(LayerStackTest, TopmostWins) {
    write("base/file", "below");
    write("top/file", "above");
    EXPECT_EQ(stack().find("file")->host, directory.path() / "top/file");
}

TEST_F(LayerStackTest, DirectoriesMerge) {
    write("base/dir/a");
    write("top/dir/b");
    LayerStack layers = stack();
    auto children = layers.children(*layers.find("dir"));
    EXPECT_EQ(children.size(), 2u);
    EXPECT_TRUE(children.contains("A"));
    EXPECT_TRUE(children.contains("B"));
}

TEST_F(LayerStackTest, WhiteoutsHideWhatIsBelow) {
    write("base/gone/deep");
    write("top/keep");
    overlay::make_whiteout(directory.path() / "top/gone");
    EXPECT_TRUE(overlay::is_whiteout(directory.path() / "top/gone"));
    EXPECT_FALSE(stack().find("gone"));
    EXPECT_FALSE(stack().find("gone/deep"));
}

TEST_F(LayerStackTest, OpaqueDirectoriesHideTheirLowerPart) {
    write("base/dir/below");
    write("top/dir/above");
    // As overlayfs marks a directory that replaced another.
    const char* mark = ::geteuid() == 0 ? "trusted.overlay.opaque" : "user.overlay.opaque";
    ASSERT_EQ(::lsetxattr((directory.path() / "top/dir").c_str(), mark, "y", 1, 0), 0);
    LayerStack layers = stack();
    EXPECT_TRUE(layers.find("dir/above"));
    EXPECT_FALSE(layers.find("dir/below"));
}

TEST_F(LayerStackTest, FileHidesADirectoryBelowAndTheOtherWayRound) {
    write("base/a/inside");
    write("top/a");
    write("base/b");
    write("top/b/inside");
    LayerStack layers = stack();
    EXPECT_EQ(layers.find("a")->kind, LayerStack::Kind::File);
    EXPECT_EQ(layers.find("b")->kind, LayerStack::Kind::Directory);
    EXPECT_EQ(layers.find("b")->directories.size(), 1u);
}

}  // namespace
}  // namespace mullion::hcs
