#include "tree/delta.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

#include "base/error.hpp"
#include "tests/tree/tree_nodes.hpp"
#include "tree/name.hpp"

namespace mullion::tree {
namespace {

using base::ErrorCode;
using namespace mullion::tree::testing;

// "+path" an upsert (with '/' for a directory), "-path" a removal, "+path=target" a hard link.
std::string text_of(const std::vector<Change>& changes) {
    std::string text;
    for (const Change& change : changes) {
        if (const auto* removal = std::get_if<Removal>(&change)) {
            text += "-" + removal->path + "\n";
            continue;
        }
        const auto& upsert = std::get<Upsert>(change);
        EXPECT_TRUE(upsert.node->children.empty());
        text += "+" + upsert.path + (upsert.node->kind == NodeKind::Directory ? "/" : "");
        text += (upsert.hard_link ? "=" + *upsert.hard_link : "") + "\n";
    }
    return text;
}

Change put(std::string path, Node node) {
    return Upsert{std::move(path), std::make_shared<const Node>(std::move(node)), {}};
}

Change hard_link(std::string path, std::string target) {
    return Upsert{std::move(path), std::make_shared<const Node>(file("linked")), std::move(target)};
}

Delta delta_of(Os os, std::vector<Change> changes) {
    Delta delta;
    delta.os = os;
    delta.changes = std::move(changes);
    return delta;
}

std::string canonical(const Tree& lower, std::vector<Change> changes) {
    Delta delta = delta_of(lower.os(), std::move(changes));
    canonicalise(delta, lower);
    return text_of(delta.changes);
}

template <typename Body>
void expect_invalid(std::string_view part, Body body) {
    try {
        body();
        ADD_FAILURE() << "accepted";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Invalid) << error.what();
        EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
    }
}

TEST(Diff, EqualTreesHaveNoDifference) {
    Tree tree = tree_of(Os::Windows, {"a/", "a/b", "c"});
    Delta same = diff(tree, tree);
    EXPECT_TRUE(same.empty());
    EXPECT_FALSE(same.files_root);
    EXPECT_TRUE(diff(tree, tree_of(Os::Windows, {"a/", "a/b", "c"})).empty());
}

TEST(Diff, ComesInCanonicalOrder) {
    Tree lower = tree_of(Os::Windows, {"a/", "a/gone", "a/kept/", "a/kept/x", "b", "Z"});
    TreeEditor editor(lower);
    editor.remove("Z");
    editor.remove("a/gone");
    editor.put("a/New", directory());
    editor.put("a/New/f", file("f"));
    editor.put("a/B", file("B"));
    editor.put("_", file("_"));
    EXPECT_EQ(text_of(diff(lower, editor.finish()).changes),
              "-Z\n+a/\n-a/gone\n+a/B\n+a/New/\n+a/New/f\n+_\n");
}

TEST(Diff, ParentsAreRepeatedWithTheirOwnMetadata) {
    TreeEditor base{Tree(Os::Windows)};
    Node users = directory(5);
    users.metadata.descriptor = std::make_shared<const std::string>("users' descriptor");
    users.metadata.attributes = attribute::kDirectory | attribute::kReadOnly;
    base.put("Users", users);
    Tree lower = base.finish();
    TreeEditor editor(lower);
    editor.put("users/new", file("x"));
    Delta delta = diff(lower, editor.finish());
    ASSERT_EQ(text_of(delta.changes), "+Users/\n+Users/new\n");
    const Metadata& repeated = std::get<Upsert>(delta.changes[0]).node->metadata;
    EXPECT_EQ(repeated.descriptor, users.metadata.descriptor);
    EXPECT_EQ(repeated.attributes, users.metadata.attributes);
    EXPECT_EQ(repeated.modified, users.metadata.modified);
    ASSERT_TRUE(delta.files_root);
}

// Each level holds the one below twice: small as a tree, beyond any layer as a list.
TEST(Diff, SharedDirectoriesDoNotGrowWithoutBound) {
    Tree tree = tree_of(Os::Windows, {"f"});
    for (int i = 0; i < 60; ++i) {
        TreeEditor editor{Tree(Os::Windows)};
        editor.put("a", tree.root());
        editor.put("b", tree.root());
        tree = editor.finish();
    }
    expect_invalid("more than 1000 entries", [&] { diff(Tree(Os::Windows), tree, {.entries = 1000}); });
    expect_invalid("larger than 100000 bytes", [&] { diff(Tree(Os::Windows), tree, {.bytes = 100'000}); });
}

TEST(Diff, AKindThatChangesNeedsNoWhiteout) {
    Tree lower = tree_of(Os::Windows, {"d/", "d/x", "f"});
    TreeEditor editor(lower);
    editor.put("d", file("file now"));
    editor.put("f", directory());
    editor.put("f/y", file("y"));
    Tree upper = editor.finish();
    Delta delta = diff(lower, upper);
    EXPECT_EQ(text_of(delta.changes), "+d\n+f/\n+f/y\n");
    EXPECT_EQ(digest(apply(lower, delta)), digest(upper));
}

TEST(Diff, MetadataAloneIsAChange) {
    Tree lower = tree_of(Os::Windows, {"d/", "d/x"});
    TreeEditor editor(lower);
    editor.put("d", directory(1));
    EXPECT_EQ(text_of(diff(lower, editor.finish()).changes), "+d/\n");
    TreeEditor root(lower);
    root.put("", directory(1));
    Tree upper = root.finish();
    Delta delta = diff(lower, upper);
    EXPECT_TRUE(delta.empty());
    ASSERT_TRUE(delta.files_root);
    EXPECT_EQ(apply(lower, delta).root()->metadata.modified, base::FileTime::from_seconds(1));
}

TEST(Diff, SharedNodesAreSkippedUnread) {
    Tree lower = tree_of(Os::Windows, {"a"});
    // A content nobody can open: equal places are equal bytes.
    Node layered = file("");
    layered.content =
        std::make_shared<const Content>(9, LayerRange{base::DiffId{base::Digest::of("l")}, 512});
    TreeEditor one(lower);
    one.put("f", layered);
    layered.content =
        std::make_shared<const Content>(9, LayerRange{base::DiffId{base::Digest::of("l")}, 512});
    TreeEditor two(lower);
    two.put("f", layered);
    EXPECT_TRUE(diff(one.finish(), two.finish()).empty());
}

TEST(Diff, CaseAloneIsNoChange) {
    Tree lower = tree_of(Os::Windows, {"Dir/", "Dir/File"});
    Tree upper = tree_of(Os::Windows, {"dir/", "dir/file", "dir/new"});
    TreeEditor editor(upper);
    editor.put("dir/file", *lower.find("Dir/File"));
    EXPECT_EQ(text_of(diff(lower, editor.finish()).changes), "+Dir/\n+Dir/new\n");
}

TEST(Diff, OtherOperatingSystemsAreRefused) {
    expect_invalid("different operating systems", [] { diff(Tree(Os::Windows), Tree(Os::Linux)); });
    expect_invalid("another operating system", [] { apply(Tree(Os::Windows), delta_of(Os::Linux, {})); });
}

TEST(HardLink, NamesOfOneFileStayTogether) {
    Tree lower = tree_of(Os::Windows, {"d/", "old"});
    Tree linked = apply(lower, delta_of(Os::Windows, {put("d/a", file("linked")), hard_link("d/b", "D/A"),
                                                      hard_link("c", "d/b"), put("e", file("linked"))}));
    EXPECT_EQ(linked.find("d/a")->hard_links, linked.find("c")->hard_links);
    EXPECT_TRUE(linked.find("d/b")->hard_links);
    EXPECT_FALSE(linked.find("e")->hard_links);
    Delta delta = diff(lower, linked);
    EXPECT_EQ(text_of(delta.changes), "+c\n+d/\n+d/a=c\n+d/b=c\n+e\n");
    Tree again = apply(lower, delta);
    EXPECT_EQ(digest(again), digest(linked));
    EXPECT_TRUE(diff(again, linked).empty());
}

TEST(HardLink, ANewNameOfAnUnchangedFileLinksToIt) {
    Tree lower = tree_of(Os::Windows, {"bin/", "bin/Tool.exe"});
    Tree linked = apply(lower, delta_of(Os::Windows, {hard_link("alias.exe", "bin/tool.exe")}));
    EXPECT_EQ(bytes_of(*linked.find("alias.exe")), "bin/Tool.exe");
    Delta delta = diff(lower, linked);
    EXPECT_EQ(text_of(delta.changes), "+alias.exe=bin/Tool.exe\n");
}

TEST(HardLink, AChangedNameLeavesTheOthers) {
    Tree lower = apply(Tree(Os::Windows), delta_of(Os::Windows, {put("a", file("1")), hard_link("b", "a")}));
    TreeEditor editor(lower);
    editor.put("a", file("2"));
    Tree upper = editor.finish();
    EXPECT_EQ(text_of(diff(lower, upper).changes), "+a\n");
    EXPECT_EQ(bytes_of(*upper.find("b")), "1");
}

TEST(HardLink, CopiesAreNotLinks) {
    TreeEditor editor{Tree(Os::Windows)};
    Node original = file("x");
    editor.put("a", original);
    editor.put("b", original);
    EXPECT_EQ(text_of(diff(Tree(Os::Windows), editor.finish()).changes), "+a\n+b\n");
}

TEST(HardLink, LinksToNothingOrToDirectoriesAreInvalid) {
    Tree lower = tree_of(Os::Windows, {"d/"});
    for (const char* target : {"missing", "d", ""}) {
        expect_invalid("not a file", [&] { apply(lower, delta_of(Os::Windows, {hard_link("l", target)})); });
    }
    expect_invalid("does not exist", [&] { canonical(lower, {hard_link("l", "missing")}); });
    expect_invalid("is not a file", [&] { canonical(lower, {hard_link("l", "d")}); });
    expect_invalid("leads back to itself", [&] {
        canonical(lower, {hard_link("l", "m"), hard_link("m", "l")});
    });
    expect_invalid("leads back to itself", [&] { canonical(lower, {hard_link("l", "l")}); });
}

TEST(Apply, ARemovalThenAnUpsertEmptiesADirectory) {
    Tree lower = tree_of(Os::Windows, {"d/", "d/x", "d/y"});
    Tree upper =
        apply(lower, delta_of(Os::Windows, {Removal{"d"}, put("d", directory()), put("d/z", file("z"))}));
    EXPECT_EQ(listing(upper), "d/\nd/z\n");
}

TEST(Apply, ChangesNoLayerMayHoldAreInvalid) {
    Tree lower = tree_of(Os::Windows, {"f"});
    expect_invalid("no parent directory",
                   [&] { apply(lower, delta_of(Os::Windows, {put("no/x", file(""))})); });
    expect_invalid("not a directory", [&] { apply(lower, delta_of(Os::Windows, {put("f/x", file(""))})); });
    expect_invalid("not a path", [&] { apply(lower, delta_of(Os::Windows, {put("../x", file(""))})); });
    expect_invalid("not a path", [&] { apply(lower, delta_of(Os::Windows, {Removal{"a/../f"}})); });
    EXPECT_EQ(listing(apply(lower, delta_of(Os::Windows, {Removal{"absent/x"}}))), "f\n");
}

TEST(Canonicalise, SortsAndAddsParentsInLowersSpelling) {
    TreeEditor base(tree_of(Os::Windows, {"Windows/", "Windows/System32/", "Windows/x"}));
    base.put("Windows", directory(42));
    Tree lower = base.finish();
    Delta delta = delta_of(Os::Windows, {put("windows/system32/b.dll", file("b")), put("A", file("a")),
                                         put("WINDOWS/SYSTEM32/a.dll", file("a")), Removal{"windows/X"}});
    canonicalise(delta, lower);
    EXPECT_EQ(
        text_of(delta.changes),
        "+A\n+Windows/\n-Windows/x\n+Windows/System32/\n+Windows/System32/a.dll\n+Windows/System32/b.dll\n");
    EXPECT_EQ(std::get<Upsert>(delta.changes[1]).node->metadata.modified, base::FileTime::from_seconds(42));
}

TEST(Canonicalise, OfSeveralEntriesTheLastOneStays) {
    Tree lower = tree_of(Os::Windows, {"f", "g"});
    Delta delta =
        delta_of(Os::Windows, {put("f", file("1")), put("f", file("2")), put("g", file("1")), Removal{"g"},
                               put("d", directory()), put("d/x", file("x")), put("d", file("d"))});
    canonicalise(delta, lower);
    EXPECT_EQ(text_of(delta.changes), "-g\n+d\n+f\n");
    EXPECT_EQ(bytes_of(*std::get<Upsert>(delta.changes[2]).node), "2");
}

TEST(Canonicalise, WhiteoutsOfNothingGo) {
    Tree lower = tree_of(Os::Windows, {"d/", "d/x"});
    EXPECT_EQ(canonical(lower, {Removal{"no"}, Removal{"no/deeper"}, Removal{"d/y"}, Removal{"d/x/z"}}), "");
    EXPECT_EQ(canonical(lower, {Removal{"D/X"}}), "+d/\n-d/x\n");
}

// Layers have no opaque directories (hcs.md §4.3).
TEST(Canonicalise, DirectoriesMadeAnewBecomeExplicitWhiteouts) {
    Tree lower = tree_of(Os::Windows, {"d/", "d/a", "d/s/", "d/s/b", "d/s/c", "d/t/", "d/t/e"});
    EXPECT_EQ(canonical(lower, {Removal{"d"}, put("d", directory()), put("d/s", directory()),
                                put("d/s/c", file("c")), put("d/n", file("n"))}),
              "+d/\n-d/a\n-d/t\n+d/n\n+d/s/\n-d/s/b\n+d/s/c\n");
    EXPECT_EQ(canonical(lower, {Removal{"d"}, put("d", file("file now"))}), "+d\n");
    EXPECT_EQ(canonical(lower, {put("d", file("for a moment")), put("d", directory())}),
              "+d/\n-d/a\n-d/s\n-d/t\n");
    expect_invalid("parent", [&] { canonical(lower, {Removal{"d"}, put("d/x", file("x"))}); });
    expect_invalid("parent", [&] {
        canonical(lower, {Removal{"d"}, put("d", directory()), put("d/s/x", file("x"))});
    });
}

TEST(Canonicalise, HardLinksFollowTheFirstName) {
    Tree lower = tree_of(Os::Windows, {"Keep", "gone", "d/", "d/f"});
    EXPECT_EQ(canonical(lower, {put("z", file("z")), hard_link("m", "Z"), hard_link("a", "M")}),
              "+a\n+m=a\n+z=a\n");
    EXPECT_EQ(canonical(lower, {hard_link("l", "keep")}), "+l=Keep\n");
    EXPECT_EQ(canonical(lower, {hard_link("l", "gone"), hard_link("k", "gone"), Removal{"gone"}}),
              "-gone\n+k\n+l=k\n");
    EXPECT_EQ(canonical(lower, {hard_link("l", "d/f"), Removal{"d"}}), "-d\n+l\n");
    EXPECT_EQ(canonical(lower, {hard_link("l", "d/f"), put("d", file("d"))}), "+d\n+l\n");
}

TEST(Canonicalise, TheFirstNameCarriesTheFilesOwnNode) {
    Delta delta = delta_of(Os::Windows, {put("z", file("right")), hard_link("a", "z")});
    canonicalise(delta, Tree(Os::Windows));
    EXPECT_EQ(bytes_of(*std::get<Upsert>(delta.changes[0]).node), "right");
}

TEST(Canonicalise, CaseClashesAndIllegalNamesAreInvalid) {
    Tree empty(Os::Windows);
    expect_invalid("differs from \"Readme\" only by case", [&] {
        canonical(empty, {put("Readme", file("")), put("README", file(""))});
    });
    expect_invalid("reserved device name", [&] { canonical(empty, {put("nul", file(""))}); });
    expect_invalid("ends with a dot", [&] {
        canonical(empty, {put("a.", directory()), put("a./b", file(""))});
    });
    expect_invalid("relative path element", [&] { canonical(empty, {Removal{"../x"}}); });
    expect_invalid("is empty", [&] { canonical(empty, {Removal{"a//x"}}); });
    expect_invalid("root", [&] { canonical(empty, {put("", directory())}); });
    EXPECT_EQ(
        canonical(Tree(Os::Linux), {put("Readme", file("")), put("README", file("")), put("nul", file(""))}),
        "+README\n+Readme\n+nul\n");
}

TEST(Canonicalise, MissingParentsAreInvalid) {
    Tree lower = tree_of(Os::Windows, {"f"});
    expect_invalid("parent", [&] { canonical(lower, {put("no/x", file(""))}); });
    expect_invalid("parent", [&] { canonical(lower, {put("f/x", file(""))}); });
    expect_invalid("not a directory", [&] { canonical(lower, {put("g", file("")), put("g/x", file(""))}); });
}

TEST(Canonicalise, SortsHivesAndUtilityVmOnTheirOwn) {
    Delta delta;
    delta.hives = {put("System_Delta", file("s")), put("Sam_Delta", file("m"))};
    delta.utility_vm = {put("Files", directory()), put("Files/b", file("b")), Removal{"Files/c"},
                        put("Files/a", file("a"))};
    canonicalise(delta, Tree(Os::Windows));
    EXPECT_EQ(text_of(delta.hives), "+Sam_Delta\n+System_Delta\n");
    EXPECT_EQ(text_of(delta.utility_vm), "+Files/\n-Files/c\n+Files/a\n+Files/b\n");
}

// Random edits over few names, so that they meet often.
class RandomEdits {
  public:
    RandomEdits(unsigned seed, Os os) : random_(seed), os_(os) {}

    Tree edit(const Tree& tree, int count) {
        TreeEditor editor(tree);
        for (int i = 0; i < count; ++i) one(editor);
        return editor.finish();
    }

    // Changes in no particular order that make sense one after the other.
    std::vector<Change> changes(Tree tree, int count) {
        std::vector<Change> changes;
        for (int i = 0; i < count; ++i) {
            std::string path = random_path();
            NodeRef parent = tree.find(parent_of(path));
            if (!parent || parent->kind != NodeKind::Directory) continue;
            // One spelling each: a delta may not clash with itself.
            path = fold(os_, path);
            Change change = pick(3) == 0 ? Change(Removal{path}) : put(path, random_node());
            tree = apply(tree, delta_of(os_, {change}));
            changes.push_back(change);
        }
        return changes;
    }

  private:
    unsigned pick(unsigned below) { return static_cast<unsigned>(random_() % below); }

    std::string random_path() {
        static const char* const kNames[] = {"a", "b", "Cc", "d_d", "\u00e9", "z.txt"};
        std::string path;
        for (unsigned depth = 1 + pick(3); depth > 0; --depth) path = join(path, kNames[pick(6)]);
        return path;
    }

    Node random_node() {
        Node node = pick(2) == 0 ? directory(pick(3)) : file(std::to_string(pick(4)), pick(3));
        if (pick(8) == 0) node = link("a");
        node.metadata.attributes = pick(4) == 0 ? attribute::kHidden : 0;
        node.metadata.mode = pick(2) == 0 ? 0755 : 0644;
        return node;
    }

    void one(TreeEditor& editor) {
        std::string path = random_path();
        if (pick(4) == 0) return editor.remove(path);
        NodeRef parent = editor.find(parent_of(path));
        if (parent && parent->kind == NodeKind::Directory) editor.put(path, random_node());
    }

    std::mt19937 random_;
    Os os_;
};

class DeltaProperty : public ::testing::TestWithParam<unsigned> {};

TEST_P(DeltaProperty, ApplyingTheDifferenceGivesUpper) {
    for (Os os : {Os::Windows, Os::Linux}) {
        RandomEdits random(GetParam(), os);
        Tree lower = random.edit(Tree(os), 60);
        Tree upper = random.edit(lower, 25);
        Delta delta = diff(lower, upper);
        Tree applied = apply(lower, delta);
        EXPECT_EQ(listing(applied), listing(upper));
        EXPECT_EQ(digest(applied), digest(upper));
        EXPECT_TRUE(diff(applied, upper).empty());
        EXPECT_EQ(delta.empty(), digest(lower) == digest(upper) && text_of(delta.changes).empty());
        std::string before = text_of(delta.changes);
        canonicalise(delta, lower);
        EXPECT_EQ(text_of(delta.changes), before) << "a difference is canonical";
    }
}

TEST_P(DeltaProperty, UnrelatedTreesTurnIntoEachOther) {
    RandomEdits random(GetParam() + 1000, Os::Windows);
    Tree one = random.edit(Tree(Os::Windows), 50);
    Tree two = random.edit(Tree(Os::Windows), 50);
    EXPECT_EQ(digest(apply(one, diff(one, two))), digest(two));
    EXPECT_EQ(digest(apply(two, diff(two, one))), digest(one));
}

TEST_P(DeltaProperty, CanonicalFormMeansTheSame) {
    RandomEdits random(GetParam() + 2000, Os::Windows);
    Tree lower = random.edit(Tree(Os::Windows), 40);
    Delta delta = delta_of(Os::Windows, random.changes(lower, 40));
    Tree expected = apply(lower, delta);
    canonicalise(delta, lower);
    Tree applied = apply(lower, delta);
    EXPECT_TRUE(diff(applied, expected).empty()) << text_of(diff(applied, expected).changes);
    std::string once = text_of(delta.changes);
    canonicalise(delta, lower);
    EXPECT_EQ(text_of(delta.changes), once);
    std::set<std::string> paths;
    for (const Change& change : delta.changes)
        EXPECT_TRUE(paths.insert(fold(Os::Windows, path_of(change))).second);
}

TEST_P(DeltaProperty, TheOrderOfUnrelatedChangesDoesNotMatter) {
    std::mt19937 random(GetParam());
    std::vector<Change> changes;
    for (int i = 0; i < 30; ++i) changes.push_back(put("dir/f" + std::to_string(i), file(std::to_string(i))));
    for (int i = 0; i < 10; ++i) changes.push_back(put("g" + std::to_string(i), file("")));
    Tree lower = tree_of(Os::Windows, {"Dir/"});
    std::string sorted = canonical(lower, changes);
    std::shuffle(changes.begin(), changes.end(), random);
    EXPECT_EQ(canonical(lower, changes), sorted);
}

INSTANTIATE_TEST_SUITE_P(Seeds, DeltaProperty, ::testing::Range(0u, 40u));

}  // namespace
}  // namespace mullion::tree
