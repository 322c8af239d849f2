// What only POSIX systems show to a scan: modes, symlinks that anybody may make, FIFOs, names Windows does
// not have.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <mutex>

#include "tests/tree/scan_fixture.hpp"
#include "tree/reparse.hpp"
#include "tree/scan.hpp"

namespace mullion::tree {
namespace {

void set_time(const fs::path& path, std::int64_t seconds, long nanoseconds) {
    timespec times[2] = {{seconds, nanoseconds}, {seconds, nanoseconds}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
}

TEST_F(ScanTest, GivesWindowsMetadata) {
    write("d/f");
    ::chmod((root() / "d/f").c_str(), 0400);
    set_time(root() / "d/f", 1'700'000'000, 123'456'789);
    Tree tree = scan_as(Os::Windows);
    const Metadata& f = tree.find("d/f")->metadata;
    EXPECT_EQ(f.attributes, attribute::kArchive);
    EXPECT_EQ(tree.find("d")->metadata.attributes, attribute::kDirectory);
    EXPECT_FALSE(f.descriptor);
    EXPECT_EQ(f.mode, 0u);
    const base::FileTime expected{17'000'000'001'234'567};
    for (base::FileTime time : {f.created, f.modified, f.accessed, f.changed}) EXPECT_EQ(time, expected);
}

TEST_F(ScanTest, KeepsModesButNotOwnersForLinux) {
    write("f");
    ::chmod((root() / "f").c_str(), 04755);
    Tree tree = scan_as(Os::Linux);
    EXPECT_EQ(tree.find("f")->metadata.mode, 04755u);
    EXPECT_EQ(tree.find("f")->metadata.uid, 0u);
    EXPECT_EQ(tree.find("f")->metadata.gid, 0u);
    EXPECT_EQ(tree.find("f")->metadata.attributes, 0u);
}

TEST_F(ScanTest, TimesDoNotChangeTheDigest) {
    write("d/f");
    auto before = digest(scan_as(Os::Windows));
    set_time(root() / "d/f", 5, 0);
    set_time(root() / "d", 6, 0);
    EXPECT_EQ(digest(scan_as(Os::Windows)), before);
    write("d/f", "other");
    EXPECT_NE(digest(scan_as(Os::Windows)), before);
}

TEST_F(ScanTest, SymlinksAreKeptNotFollowed) {
    write("d/f");
    fs::create_symlink("d/f", root() / "to-file");
    fs::create_symlink("d", root() / "to-dir");
    fs::create_symlink("../../..", root() / "out");
    fs::create_symlink("/etc", root() / "absolute");
    fs::create_symlink("///server/share", root() / "slashes");
    fs::create_symlink("loop", root() / "loop");
    Tree unix_tree = scan_as(Os::Linux);
    EXPECT_EQ(listing(unix_tree), "absolute\nd/\nd/f\nloop\nout\nslashes\nto-dir\nto-file\n");
    EXPECT_EQ(unix_tree.find("to-file")->link_target, "d/f");
    EXPECT_EQ(unix_tree.find("absolute")->link_target, "/etc");
    Tree tree = scan_as(Os::Windows);
    EXPECT_EQ(tree.find("to-file")->link_target, "d\\f");
    EXPECT_EQ(tree.find("absolute")->link_target, "\\etc");
    // Two backslashes would name a server (UNC).
    EXPECT_EQ(tree.find("slashes")->link_target, "\\server\\share");
    EXPECT_EQ(tree.find("to-file")->kind, NodeKind::Symlink);
    EXPECT_EQ(tree.find("to-file")->metadata.attributes, attribute::kReparsePoint);
    EXPECT_EQ(tree.find("to-dir")->metadata.attributes, attribute::kReparsePoint | attribute::kDirectory);
    EXPECT_EQ(tree.find("loop")->metadata.attributes, attribute::kReparsePoint);
    EXPECT_EQ(tree.resolve("to-dir/f"), "d/f");
}

// On Linux '\' and ':' are parts of names. A context may hold such links, an image for Windows may not.
TEST_F(ScanTest, LinksThatWindowsWouldReadOtherwiseLeadNowhere) {
    write("a/b");
    for (const char* target : {R"(a\b)", R"(C:\a\b)", "a:b", R"(/a\b)", R"(./a\b)"}) {
        fs::remove(root() / "link");
        fs::create_symlink(target, root() / "link");
        Tree tree = scan_as(Os::Windows);
        EXPECT_FALSE(tree.resolve("link")) << target;
        try {
            encode_reparse({false, tree.find("link")->link_target});
            ADD_FAILURE() << target;
        } catch (const base::Error& error) {
            EXPECT_EQ(error.code(), ErrorCode::Invalid);
            EXPECT_NE(std::string_view(error.what()).find(target), std::string_view::npos) << error.what();
            EXPECT_FALSE(error.hint().empty());
        }
        EXPECT_EQ(scan_as(Os::Linux).find("link")->link_target, target);
    }
}

TEST_F(ScanTest, IgnoredDirectoriesAreNotOpened) {
    write("secret/f");
    write("f");
    ::chmod((root() / "secret").c_str(), 0);
    EXPECT_EQ(listing(scan_as(Os::Windows, "secret")), "f\n");
    ::chmod((root() / "secret").c_str(), 0700);
}

TEST_F(ScanTest, NamesThatClashByCaseAreInvalidNamingBoth) {
    write("src/Makefile");
    write("src/makefile");
    expect_invalid({"src/Makefile", "src/makefile", "differ only by case"});
    EXPECT_EQ(listing(scan_as(Os::Linux)), "src/\nsrc/Makefile\nsrc/makefile\n");
    EXPECT_EQ(listing(scan_as(Os::Windows, "src/makefile")), "src/\nsrc/Makefile\n");
}

TEST_F(ScanTest, DirectoriesClashByCaseToo) {
    write("Lib/a");
    write("lib/b");
    expect_invalid({"Lib and lib"});
    EXPECT_EQ(listing(scan_as(Os::Windows, "lib")), "Lib/\nLib/a\n");
}

// An ignored directory that is walked for its kept children and has none is not there.
TEST_F(ScanTest, EmptiedDirectoriesDoNotClash) {
    write("Lib/a");
    write("lib/b");
    EXPECT_EQ(listing(scan_as(Os::Windows, "lib\n!**/keep")), "Lib/\nLib/a\n");
}

TEST_F(ScanTest, IllegalNamesAreInvalidForWindowsOnly) {
    for (const char* name : {"aux.c", "a:b", "dot.", "bad\xff"}) {
        write(std::string("d/") + name);
        expect_invalid({"d/"});
        EXPECT_EQ(node_count(scan_as(Os::Linux)), 3u);
        EXPECT_EQ(node_count(scan_as(Os::Windows, "d/*")), 2u);
        fs::remove(root() / "d" / name);
    }
    write("d/nul");
    expect_invalid({"d/nul", "is a reserved device name"});
}

TEST_F(ScanTest, SpecialFilesAreInvalidUnlessIgnored) {
    ASSERT_EQ(::mkfifo((root() / "pipe").c_str(), 0600), 0);
    expect_invalid({"pipe is a FIFO"});
    expect_invalid({"pipe is a FIFO"}, Os::Linux);
    EXPECT_EQ(listing(scan_as(Os::Windows, "pipe")), "");
}

TEST_F(ScanTest, HardLinksOnTheHostBecomeFiles) {
    write("a", "shared");
    fs::create_hard_link(root() / "a", root() / "b");
    Tree tree = scan_as(Os::Windows);
    EXPECT_NE(tree.find("a")->content, tree.find("b")->content);
    EXPECT_FALSE(tree.find("a")->hard_links);
}

// Runs something the first time a file is looked at: while the scan is on its way.
class Disturbance final : public StatCache {
  public:
    explicit Disturbance(std::function<void()> act) : act_(std::move(act)) {}
    std::optional<base::Digest> find(const StatIdentity&) override {
        std::call_once(once_, act_);
        return {};
    }
    void remember(const StatIdentity&, const base::Digest&) override {}

  private:
    std::function<void()> act_;
    std::once_flag once_;
};

TEST_F(ScanTest, DirectoriesThatBecomeLinksAreNotFollowed) {
    fs::create_directory(directory_.path() / "outside");
    std::ofstream(directory_.path() / "outside" / "secret") << "x";
    for (int i = 0; i < 20; ++i) fs::create_directory(root() / ("d" + std::to_string(i)));
    write("file");
    Disturbance swap([&] {
        for (int i = 0; i < 20; ++i) {
            fs::path name = root() / ("d" + std::to_string(i));
            fs::remove(name);
            fs::create_directory_symlink(directory_.path() / "outside", name);
        }
    });
    ScanOptions options;
    options.stat_cache = &swap;
    // Either the swap is noticed, or the names were looked at only after it: then they are links.
    try {
        EXPECT_EQ(listing(scan(root(), options, {})).find("secret"), std::string::npos);
    } catch (const base::Error& error) {
        EXPECT_NE(std::string_view(error.what()).find("cannot read"), std::string_view::npos) << error.what();
    }
}

TEST_F(ScanTest, NamesThatGoDuringTheScanAreErrors) {
    for (int i = 0; i < 20; ++i) fs::create_symlink("x", root() / ("l" + std::to_string(i)));
    write("file");
    Disturbance remove([&] {
        for (int i = 0; i < 20; ++i) fs::remove(root() / ("l" + std::to_string(i)));
    });
    ScanOptions options;
    options.stat_cache = &remove;
    // Unless all of them were looked at before.
    try {
        EXPECT_EQ(node_count(scan(root(), options, {})), 22u);
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::NotFound) << error.what();
    }
}

TEST_F(ScanTest, FilesThatBecomePipesDoNotBlock) {
    write("f", "one");
    Tree tree = scan_as(Os::Windows);
    fs::remove(root() / "f");
    ASSERT_EQ(::mkfifo((root() / "f").c_str(), 0600), 0);
    HostContent contents;
    try {
        tree.digest("", contents, {});
        FAIL() << "read";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Unavailable) << error.what();
    }
}

TEST_F(ScanTest, BadRootsAreErrors) {
    auto code_of = [](const fs::path& path) {
        try {
            scan(path, {}, {});
        } catch (const base::Error& error) {
            return error.code();
        }
        return ErrorCode::Internal;
    };
    write("f");
    EXPECT_EQ(code_of(root() / "missing"), ErrorCode::NotFound);
    EXPECT_EQ(code_of(root() / "f"), ErrorCode::Invalid);
    fs::create_symlink(root(), directory_.path() / "link");
    EXPECT_EQ(listing(scan(directory_.path() / "link", {}, {})), "f\n");
}

TEST_F(ScanTest, NestingIsBounded) {
    fs::path path = root();
    for (std::size_t i = 0; i < kMaxDepth; ++i) path /= "d";
    fs::create_directories(path);
    EXPECT_EQ(node_count(scan_as(Os::Windows)), kMaxDepth + 1);
    std::ofstream(path / "f");
    EXPECT_THROW(scan_as(Os::Windows), base::Error);
    EXPECT_NO_THROW(scan_as(Os::Windows, "**/f"));
}

TEST_F(ScanTest, TheSameProblemIsReportedEveryTime) {
    for (int i = 0; i < 30; ++i) write("d" + std::to_string(i) + "/nul");
    for (int i = 0; i < 10; ++i) expect_invalid({"d0/nul"});
}

}  // namespace
}  // namespace mullion::tree
