#include "tree/tree.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "base/error.hpp"
#include "tests/tree/tree_nodes.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using namespace mullion::tree::testing;

template <typename Body>
void expect_error(ErrorCode code, Body body) {
    try {
        body();
        ADD_FAILURE() << "accepted";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
    }
}

std::string deep_path(std::size_t depth) {
    std::string path = "d";
    for (std::size_t i = 1; i < depth; ++i) path += "/d";
    return path;
}

Tree deep_tree(std::size_t depth) {
    auto node = std::make_shared<const Node>(file("bottom"));
    for (std::size_t i = 0; i < depth; ++i) {
        auto parent = std::make_shared<Node>();
        parent->children.push_back({"d", node});
        node = parent;
    }
    return Tree(Os::Windows, node);
}

TEST(Tree, WindowsNamesAreFoundInAnyCase) {
    Tree tree =
        tree_of(Os::Windows, {"Windows/", "Windows/System32/", "Windows/System32/cmd.exe", "\u00c9t\u00e9"});
    ASSERT_TRUE(tree.find("WINDOWS/system32/CMD.EXE"));
    EXPECT_EQ(tree.locate("windows/SYSTEM32/Cmd.Exe")->path, "Windows/System32/cmd.exe");
    EXPECT_TRUE(tree.find("\u00e9T\u00c9"));
    EXPECT_FALSE(tree.find("windows/system"));
    EXPECT_FALSE(tree.locate("windows/cmd.exe/x"));
    EXPECT_EQ(tree.fold_to_casing("windows/SYSTEM32/Drivers/etc"), "Windows/System32/Drivers/etc");
}

TEST(Tree, LinuxNamesAreCaseSensitive) {
    Tree tree = tree_of(Os::Linux, {"a", "A"});
    EXPECT_EQ(node_count(tree), 3u);
    EXPECT_FALSE(tree_of(Os::Linux, {"a"}).find("A"));
}

TEST(Tree, PathsThatAreNotTreePathsFindNothing) {
    Tree tree = tree_of(Os::Windows, {"a/", "a/b"});
    for (const char* path : {"/a", "a/", "a//b", "./a", "a/../a"}) EXPECT_FALSE(tree.find(path)) << path;
    EXPECT_EQ(tree.find(""), tree.root());
}

TEST(Tree, WalkVisitsParentsFirstInFoldedOrder) {
    Tree tree = tree_of(Os::Windows, {"b/", "b/z", "b/Y", "B1", "a", "_x"});
    EXPECT_EQ(listing(tree), "a\nb/\nb/Y\nb/z\nB1\n_x\n");
    std::string seen;
    tree.walk("B", [&](const std::string& path, const NodeRef&) { return seen += path + "\n", true; });
    EXPECT_EQ(seen, "b\nb/Y\nb/z\n");
    seen.clear();
    tree.walk("", [&](const std::string& path, const NodeRef&) { return seen += path + ".", path != "b"; });
    EXPECT_EQ(seen, ".a.b.B1._x.");
}

TEST(TreeEditor, KeepsTheOriginal) {
    Tree base = tree_of(Os::Windows, {"a/", "a/b", "c"});
    TreeEditor editor(base);
    editor.put("A/new", file("n"));
    editor.remove("C");
    Tree edited = editor.finish();
    EXPECT_EQ(listing(base), "a/\na/b\nc\n");
    EXPECT_EQ(listing(edited), "a/\na/b\na/new\n");
}

TEST(TreeEditor, SharesWhatWasNotTouched) {
    Tree base = tree_of(Os::Windows, {"a/", "a/b", "c/", "c/d"});
    TreeEditor editor(base);
    editor.put("c/e", file("e"));
    Tree edited = editor.finish();
    EXPECT_EQ(edited.find("a"), base.find("a"));
    EXPECT_EQ(edited.find("c/d"), base.find("c/d"));
    EXPECT_NE(edited.find("c"), base.find("c"));
}

TEST(TreeEditor, KeepsTheCasingOfExistingNames) {
    TreeEditor editor(tree_of(Os::Windows, {"ReadMe.TXT"}));
    editor.put("readme.txt", file("new"));
    Tree tree = editor.finish();
    EXPECT_EQ(listing(tree), "ReadMe.TXT\n");
    EXPECT_EQ(bytes_of(*tree.find("README.txt")), "new");
    TreeEditor again(tree);
    again.remove("readme.TXT");
    again.put("readme.txt", file("newer"));
    EXPECT_EQ(listing(again.finish()), "readme.txt\n");
}

TEST(TreeEditor, DirectoryOnDirectoryKeepsChildrenAndTakesMetadata) {
    TreeEditor editor(tree_of(Os::Windows, {"a/", "a/b"}));
    Node changed = directory(7);
    changed.metadata.attributes = attribute::kHidden;
    editor.put("a", changed);
    Tree tree = editor.finish();
    EXPECT_EQ(listing(tree), "a/\na/b\n");
    EXPECT_EQ(tree.find("a")->metadata.attributes, attribute::kHidden);
}

TEST(TreeEditor, SubtreesMergeIntoDirectories) {
    TreeEditor editor(tree_of(Os::Windows, {"dst/", "dst/Sub/", "dst/Sub/old", "dst/x"}));
    Tree source = tree_of(Os::Windows, {"sub/", "sub/new", "X/", "X/y"});
    editor.put("dst", source.root());
    EXPECT_EQ(listing(editor.finish()), "dst/\ndst/Sub/\ndst/Sub/new\ndst/Sub/old\ndst/x/\ndst/x/y\n");
}

TEST(TreeEditor, SubtreesAreSharedWhereNothingWas) {
    Tree source = tree_of(Os::Windows, {"sub/", "sub/new"});
    TreeEditor editor{Tree(Os::Windows)};
    editor.put("copy", source.find("sub"));
    EXPECT_EQ(editor.finish().find("copy"), source.find("sub"));
}

TEST(TreeEditor, FilesAndDirectoriesReplaceEachOther) {
    TreeEditor editor(tree_of(Os::Windows, {"a/", "a/b", "c"}));
    editor.put("a", file("now a file"));
    editor.put("c", directory());
    editor.put("c/d", file("d"));
    EXPECT_EQ(listing(editor.finish()), "a\nc/\nc/d\n");
}

TEST(TreeEditor, BadEditsAreRefused) {
    TreeEditor editor(tree_of(Os::Windows, {"f", "d/"}));
    expect_error(ErrorCode::NotFound, [&] { editor.put("no/x", file("")); });
    expect_error(ErrorCode::Invalid, [&] { editor.put("f/x", file("")); });
    expect_error(ErrorCode::Invalid, [&] { editor.put("d//x", file("")); });
    expect_error(ErrorCode::Invalid, [&] { editor.put("/d", file("")); });
    expect_error(ErrorCode::Invalid, [&] { editor.put("d/../x", file("")); });
    expect_error(ErrorCode::Invalid, [&] { editor.put("d/.", file("")); });
    expect_error(ErrorCode::Invalid, [&] { editor.put("", file("")); });
    expect_error(ErrorCode::Invalid, [&] { editor.remove(""); });
    editor.remove("no/x");
    editor.remove("f/x");
    EXPECT_EQ(listing(editor.finish()), "d/\nf\n");
}

TEST(TreeEditor, FindSeesEdits) {
    TreeEditor editor(tree_of(Os::Windows, {"d/", "d/old", "e/", "e/f"}));
    editor.put("d/new", file("n"));
    editor.remove("d/old");
    editor.put("d/sub", directory(3));
    EXPECT_TRUE(editor.find("D/NEW"));
    EXPECT_FALSE(editor.find("d/old"));
    EXPECT_EQ(editor.find("d/sub")->metadata.modified, base::FileTime::from_seconds(3));
    EXPECT_TRUE(editor.find("e/f"));
    EXPECT_FALSE(editor.find("d/new/x"));
    EXPECT_EQ(editor.find("")->kind, NodeKind::Directory);
}

TEST(TreeEditor, GoesOnAfterFinish) {
    TreeEditor editor{Tree(Os::Windows)};
    editor.put("a", file("a"));
    Tree first = editor.finish();
    editor.put("b", file("b"));
    EXPECT_EQ(listing(editor.finish()), "a\nb\n");
    EXPECT_EQ(listing(first), "a\n");
}

TEST(TreeEditor, ManyChildrenOfOneDirectoryAreNotQuadratic) {
    TreeEditor editor{Tree(Os::Windows)};
    editor.put("d", directory());
    Node leaf = file("x");
    for (int i = 0; i < 100'000; ++i) {
        editor.put("d/f" + std::to_string(i), leaf);
        ASSERT_TRUE(editor.find("d"));
    }
    EXPECT_EQ(editor.finish().find("d")->children.size(), 100'000u);
}

TEST(TreeEditor, DepthIsBounded) {
    TreeEditor editor(deep_tree(kMaxDepth - 1));
    editor.put(deep_path(kMaxDepth - 1), directory());
    editor.put(deep_path(kMaxDepth), file("deepest"));
    EXPECT_EQ(node_count(editor.finish()), kMaxDepth + 1);
    expect_error(ErrorCode::Invalid, [&] { editor.put(deep_path(kMaxDepth + 1), file("")); });
}

TEST(Tree, TreesDeeperThanTheBoundAreRefusedNotOverflowing) {
    Tree deep = deep_tree(kMaxDepth + 1);
    expect_error(ErrorCode::Invalid, [&] { digest(deep); });
    expect_error(ErrorCode::Invalid, [&] { node_count(deep); });
    EXPECT_EQ(node_count(deep_tree(kMaxDepth)), kMaxDepth + 1);
    digest(deep_tree(kMaxDepth));
}

Tree with_links(Os os, std::initializer_list<std::pair<std::string, std::string>> links) {
    TreeEditor editor(tree_of(os, {"app/", "app/bin/", "app/bin/x.exe", "data/"}));
    for (const auto& [path, target] : links) editor.put(path, link(target));
    return editor.finish();
}

TEST(Tree, WindowsLinksAreFollowedInEveryForm) {
    Tree tree = with_links(Os::Windows, {{"rel", "app\\bin"},
                                         {"data/up", "..\\app"},
                                         {"root", "\\app\\bin"},
                                         {"drive", "c:\\App\\BIN"},
                                         {"nt", "\\??\\C:\\app\\bin"},
                                         {"win32", "\\\\?\\C:\\app"},
                                         {"slash", "app/bin"},
                                         {"file", "app\\bin\\x.exe"}});
    EXPECT_EQ(tree.resolve("REL/X.EXE"), "app/bin/x.exe");
    EXPECT_EQ(tree.resolve("data/up/bin"), "app/bin");
    EXPECT_EQ(tree.resolve("root"), "app/bin");
    EXPECT_EQ(tree.resolve("drive"), "app/bin");
    EXPECT_EQ(tree.resolve("nt/x.exe"), "app/bin/x.exe");
    EXPECT_EQ(tree.resolve("win32/bin"), "app/bin");
    EXPECT_EQ(tree.resolve("slash"), "app/bin");
    EXPECT_EQ(tree.resolve("file"), "app/bin/x.exe");
    EXPECT_EQ(tree.resolve(""), "");
}

TEST(Tree, LinksNeverLeaveTheTree) {
    Tree tree =
        with_links(Os::Windows, {{"up", "..\\..\\..\\app"},
                                 {"data/c", "C:\\..\\..\\app"},
                                 {"other", "D:\\app"},
                                 {"unc", "\\\\server\\share"},
                                 {"volume", "\\??\\Volume{00000000-0000-0000-0000-000000000000}\\app"},
                                 {"relative-drive", "C:app"}});
    EXPECT_EQ(tree.resolve("up"), "app");
    EXPECT_EQ(tree.resolve("data/c"), "app");
    for (const char* path : {"other", "unc", "volume", "relative-drive"})
        EXPECT_FALSE(tree.resolve(path)) << path;
    Tree linux_tree =
        with_links(Os::Linux, {{"up", "../../../app"}, {"abs", "/app/bin"}, {"data/r", "../app\\bin"}});
    EXPECT_EQ(linux_tree.resolve("up"), "app");
    EXPECT_EQ(linux_tree.resolve("abs/x.exe"), "app/bin/x.exe");
    EXPECT_FALSE(linux_tree.resolve("data/r"));
}

TEST(Tree, MissingPathsResolveToNothing) {
    Tree tree = with_links(Os::Windows, {{"dangling", "nowhere"}});
    EXPECT_FALSE(tree.resolve("dangling"));
    EXPECT_FALSE(tree.resolve("app/nothing"));
    EXPECT_FALSE(tree.resolve("app/bin/x.exe/y"));
}

TEST(Tree, LinkCyclesAreInvalid) {
    Tree tree = with_links(Os::Windows, {{"a", "b"}, {"b", "a"}, {"self", "self\\x"}});
    expect_error(ErrorCode::Invalid, [&] { (void)tree.resolve("a"); });
    expect_error(ErrorCode::Invalid, [&] { (void)tree.resolve("self"); });
}

TEST(Tree, LinkChainsUpToTheBoundAreFollowed) {
    TreeEditor editor(tree_of(Os::Windows, {"end"}));
    for (int i = 0; i < 41; ++i) {
        editor.put("l" + std::to_string(i), link(i == 0 ? "end" : "l" + std::to_string(i - 1)));
    }
    Tree tree = editor.finish();
    EXPECT_EQ(tree.resolve("l39"), "end");
    expect_error(ErrorCode::Invalid, [&] { (void)tree.resolve("l40"); });
}

TEST(TreeDigest, DoesNotDependOnHowTheTreeWasMade) {
    Tree forward = tree_of(Os::Windows, {"a/", "a/x", "a/y", "b"});
    Tree backward = tree_of(Os::Windows, {"b", "a/", "a/y", "a/x"});
    EXPECT_EQ(digest(forward), digest(backward));
    TreeEditor editor(forward);
    editor.put("a/z", file("z"));
    editor.finish();
    editor.remove("a/z");
    EXPECT_EQ(digest(editor.finish()), digest(forward));
}

TEST(TreeDigest, LeavesOutTimesAndTheSubtreesOwnName) {
    Tree tree = tree_of(Os::Windows, {"a/", "a/x"});
    TreeEditor editor(tree);
    editor.put("a/x", file("a/x", 99));
    editor.put("a", directory(98));
    EXPECT_EQ(digest(editor.finish()), digest(tree));
    TreeEditor other{Tree(Os::Windows)};
    other.put("b", tree.find("a"));
    EXPECT_EQ(digest(other.finish(), "b"), digest(tree, "a"));
}

// Each change must show in the digest of the file and of the tree.
TEST(TreeDigest, CountsEverythingThatMattersOnWindows) {
    auto changed = [](auto change) {
        Node node = file("data");
        change(node);
        TreeEditor editor{Tree(Os::Windows)};
        editor.put("f", std::move(node));
        return digest(editor.finish());
    };
    using base::Digest;
    std::vector<Digest> digests = {
        changed([](Node&) {}),
        changed([](Node& n) { n.content = Content::inline_bytes("date"); }),
        changed([](Node& n) { n.metadata.attributes = attribute::kReadOnly; }),
        changed([](Node& n) { n.metadata.attributes = attribute::kHidden; }),
        changed([](Node& n) { n.metadata.attributes = attribute::kSystem; }),
        changed([](Node& n) { n.metadata.descriptor = std::make_shared<const std::string>("sd"); }),
        changed([](Node& n) { n.metadata.descriptor = std::make_shared<const std::string>(); }),
        changed([](Node& n) {
            n.metadata.extended_attributes = {{"E", "v"}};
        }),
        changed([](Node& n) {
            n.metadata.extended_attributes = {{"E", "w"}};
        }),
        changed([](Node& n) {
            n.streams = {{"s", Content::inline_bytes("1")}};
        }),
        changed([](Node& n) {
            n.streams = {{"s", Content::inline_bytes("2")}};
        }),
        changed([](Node& n) {
            n.streams = {{"t", Content::inline_bytes("1")}};
        }),
        changed([](Node& n) { n = directory(); }),
        changed([](Node& n) { n = link("data"); }),
        changed([](Node& n) { n = link("data", NodeKind::Junction); }),
        changed([](Node& n) {
            n = link("data");
            n.metadata.attributes = attribute::kDirectory;
        }),
    };
    for (std::size_t i = 0; i < digests.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) EXPECT_NE(digests[i], digests[j]) << i << " " << j;
    }
    Digest plain = digests[0];
    EXPECT_EQ(changed([](Node& n) { n.metadata.attributes = attribute::kArchive; }), plain);
    EXPECT_EQ(changed([](Node& n) { n.metadata.mode = 0755; }), plain);
    EXPECT_EQ(changed([](Node& n) { n.hard_links = std::make_shared<const HardLinkGroup>(); }), plain);
}

TEST(TreeDigest, CountsModeAndOwnerOnLinux) {
    auto changed = [](auto change) {
        Node node = file("data");
        change(node.metadata);
        TreeEditor editor{Tree(Os::Linux)};
        editor.put("f", std::move(node));
        return digest(editor.finish());
    };
    auto plain = changed([](Metadata&) {});
    EXPECT_NE(changed([](Metadata& m) { m.mode = 0755; }), plain);
    EXPECT_NE(changed([](Metadata& m) { m.uid = 1; }), plain);
    EXPECT_NE(changed([](Metadata& m) { m.gid = 1; }), plain);
    EXPECT_EQ(changed([](Metadata& m) { m.attributes = attribute::kHidden; }), plain);
}

TEST(TreeDigest, TheOrderOfStreamsSaysNothing) {
    auto with_streams = [](std::vector<Stream> streams) {
        Node node = file("data");
        node.streams = std::move(streams);
        TreeEditor editor{Tree(Os::Windows)};
        editor.put("f", std::move(node));
        return digest(editor.finish());
    };
    Stream a{"a", Content::inline_bytes("1")};
    Stream b{"b", Content::inline_bytes("2")};
    EXPECT_EQ(with_streams({a, b}), with_streams({b, a}));
}

// A node may stand in trees of both kinds; neither may take the other's memo.
TEST(TreeDigest, IsMemoisedPerOperatingSystem) {
    Tree windows = tree_of(Os::Windows, {"a/", "a/b"});
    Tree same_nodes(Os::Linux, windows.root());
    auto windows_digest = digest(windows);
    auto linux_digest = digest(same_nodes);
    EXPECT_NE(windows_digest, linux_digest);
    EXPECT_EQ(digest(tree_of(Os::Linux, {"a/", "a/b"})), linux_digest);
    EXPECT_EQ(digest(windows), windows_digest);
}

TEST(TreeDigest, ChangedCopiesOfADigestedNodeAreDigestedAnew) {
    Tree tree = tree_of(Os::Windows, {"a"});
    auto before = digest(tree);
    Node copy = *tree.find("a");
    copy.metadata.attributes = attribute::kHidden;
    TreeEditor editor(tree);
    editor.put("a", copy);
    EXPECT_NE(digest(editor.finish()), before);
}

TEST(TreeDigest, ReadsEachContentOnce) {
    class Counting final : public ContentProvider {
      public:
        std::unique_ptr<base::Source> open(const Content& content, const base::CancelToken& cancel) override {
            ++opened;
            return host.open(content, cancel);
        }
        HostContent host;
        std::atomic<int> opened{0};
    } contents;
    Tree tree = tree_of(Os::Windows, {"a", "b"});
    TreeEditor editor(tree);
    editor.put("c", *tree.find("a"));
    Tree edited = editor.finish();
    edited.digest("", contents, {});
    EXPECT_EQ(contents.opened, 2);
    edited.digest("", contents, {});
    tree.digest("", contents, {});
    EXPECT_EQ(contents.opened, 2);
}

TEST(TreeDigest, MissingPathsAndCancellationAreErrors) {
    Tree tree = tree_of(Os::Windows, {"a"});
    HostContent contents;
    expect_error(ErrorCode::NotFound, [&] { tree.digest("b", contents, {}); });
    base::CancelSource cancel;
    cancel.cancel();
    expect_error(ErrorCode::Canceled, [&] { tree.digest("", contents, cancel.token()); });
}

TEST(TreeDigest, ManyThreadsAgree) {
    TreeEditor editor{Tree(Os::Windows)};
    for (int d = 0; d < 20; ++d) {
        std::string name = "d" + std::to_string(d);
        editor.put(name, directory());
        for (int f = 0; f < 50; ++f) editor.put(name + "/" + std::to_string(f), file(std::to_string(d * f)));
    }
    Tree tree = editor.finish();
    std::vector<std::string> digests(4);
    std::vector<std::thread> threads;
    for (auto& text : digests) threads.emplace_back([&] { text = digest(tree).string(); });
    for (std::thread& thread : threads) thread.join();
    for (const auto& text : digests) EXPECT_EQ(text, digests[0]);
}

}  // namespace
}  // namespace mullion::tree
