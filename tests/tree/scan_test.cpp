#include "tree/scan.hpp"

#include <gtest/gtest.h>

#include "tests/tree/scan_fixture.hpp"

namespace mullion::tree {
namespace {

TEST_F(ScanTest, ListsFilesAndDirectories) {
    write("src/main.c", "int main");
    write("README.md");
    fs::create_directory(root() / "empty");
    Tree tree = scan_as(Os::Windows);
    EXPECT_EQ(listing(tree), "empty/\nREADME.md\nsrc/\nsrc/main.c\n");
    EXPECT_EQ(bytes_of(*tree.find("SRC/MAIN.C")), "int main");
    EXPECT_EQ(tree.find("src/main.c")->content->size(), 8u);
}

TEST_F(ScanTest, IgnoredFilesAreNotSeen) {
    write("keep.txt");
    write("node_modules/a/b.js");
    write("src/x.o");
    write("src/x.c");
    EXPECT_EQ(listing(scan_as(Os::Windows, "node_modules\n**/*.o")), "keep.txt\nsrc/\nsrc/x.c\n");
    EXPECT_EQ(listing(scan_as(Os::Windows, "*")), "");
}

TEST_F(ScanTest, KeptFilesBringTheirIgnoredParents) {
    write("a/b/keep");
    write("a/b/drop");
    write("a/c/drop");
    write("z");
    EXPECT_EQ(listing(scan_as(Os::Windows, "*\n!a/b/keep")), "a/\na/b/\na/b/keep\n");
    EXPECT_EQ(listing(scan_as(Os::Windows, "**\n!**/keep")), "a/\na/b/\na/b/keep\n");
}

TEST_F(ScanTest, DigestsComeFromTheStatCache) {
    class Fixed final : public StatCache {
      public:
        std::optional<base::Digest> find(const StatIdentity& identity) override {
            return identity == known ? std::optional(base::Digest::of("cached")) : std::nullopt;
        }
        void remember(const StatIdentity&, const base::Digest&) override { FAIL() << "scan() reads nothing"; }
        StatIdentity known;
    } cache;
    write("known");
    write("unknown");
    cache.known = stat_identity(root() / "known");
    ScanOptions options;
    options.stat_cache = &cache;
    Tree tree = scan(root(), options, {});
    EXPECT_EQ(tree.find("known")->content->known_digest(), base::Digest::of("cached"));
    EXPECT_FALSE(tree.find("unknown")->content->known_digest());
}

TEST_F(ScanTest, FilesThatChangeAfterTheScanAreErrors) {
    write("f", "one");
    Tree tree = scan_as(Os::Windows);
    write("f", "three");
    HostContent contents;
    try {
        tree.digest("", contents, {});
        FAIL() << "read";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Unavailable);
        EXPECT_NE(std::string_view(error.what()).find((fs::path("context") / "f").string()),
                  std::string_view::npos);
    }
}

TEST_F(ScanTest, CancelStopsIt) {
    write("f");
    base::CancelSource cancel;
    cancel.cancel();
    try {
        scan(root(), {}, cancel.token());
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Canceled);
    }
}

TEST_F(ScanTest, WideAndManyDirectoriesComeOutWhole) {
    for (int d = 0; d < 40; ++d) {
        fs::path directory = root() / ("d" + std::to_string(d)) / "e";
        fs::create_directories(directory);
        for (int f = 0; f < 10; ++f) std::ofstream(directory / std::to_string(f)) << f;
    }
    for (int f = 0; f < 1500; ++f) std::ofstream(root() / ("wide" + std::to_string(f)));
    Tree tree = scan_as(Os::Windows);
    EXPECT_EQ(node_count(tree), 1u + 40 * 12 + 1500);
    EXPECT_EQ(digest(tree), digest(scan_as(Os::Windows)));
}

}  // namespace
}  // namespace mullion::tree
