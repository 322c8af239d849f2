#include "worker/file_editor.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "tests/worker/worker_test.hpp"
#include "tree/name.hpp"
#include "tree/security_descriptor.hpp"

namespace mullion::test {
namespace {

using solver::CopyAction;
using tree::NodeKind;
using tree::Os;
using tree::Tree;
using worker::FileEditor;

class FileEditorTest : public testing::Test {
  protected:
    FileEditorTest() : base(Os::Windows), from(Os::Windows) {
        tree::TreeEditor editor(base);
        tree::Node app = directory_node(kOld);
        app.metadata.descriptor = std::make_shared<const std::string>(
            tree::SecurityDescriptor::parse_sddl("O:SYG:SYD:(A;OICI;FA;;;SY)(A;OICI;FR;;;WD)")
                .self_relative());
        editor.put("App", std::move(app));
        editor.put("App/Config.ini", file_node("old", kOld));
        editor.put("Link", link_node("C:\\App"));
        editor.put("Broken", link_node("C:\\Nowhere"));
        base = editor.finish();
        tree::TreeEditor source(from);
        source.put("a.txt", file_node("a", kSource));
        source.put("b.txt", file_node("b", kSource));
        source.put("dir", directory_node(kSource));
        source.put("dir/c.txt", file_node("c", kSource));
        source.put("dir/sub", directory_node(kSource));
        source.put("dir/sub/d.log", file_node("d", kSource));
        from = source.finish();
    }

    Tree copy(std::vector<std::string> sources, std::string destination, CopyAction action = {}) {
        action.sources = std::move(sources);
        action.destination_is_directory = destination.ends_with('/');
        if (action.destination_is_directory) destination.pop_back();
        action.destination = destination;
        FileEditor editor(base, kEpoch, follow);
        editor.copy(action, {from, is_context}, archives, {});
        return editor.tree();
    }
    base::Error failure(std::vector<std::string> sources, std::string destination, CopyAction action = {}) {
        try {
            copy(std::move(sources), std::move(destination), std::move(action));
        } catch (const base::Error& error) {
            return error;
        }
        ADD_FAILURE() << "no error";
        return base::fail(base::ErrorCode::Internal, "no error");
    }
    static std::string text(const Tree& tree, std::string_view path) {
        tree::NodeRef node = tree.find(path);
        if (!node || !node->content) return "(no file)";
        return *std::get<tree::InlineBytes>(node->content->location()).data;
    }

    static constexpr base::FileTime kOld = base::FileTime::from_seconds(1000);
    static constexpr base::FileTime kSource = base::FileTime::from_seconds(2000);
    static constexpr base::FileTime kEpoch = base::FileTime::from_seconds(3000);
    Tree base;
    Tree from;
    bool is_context = true;
    bool follow = true;
    tree::HostContent contents;
    base::TempDir spool{std::filesystem::temp_directory_path(), "spool"};
    worker::Archives archives{contents, spool.path()};
};

TEST_F(FileEditorTest, FileBecomesTheDestination) {
    Tree tree = copy({"a.txt"}, "new.txt");
    EXPECT_EQ(text(tree, "new.txt"), "a");
}

TEST_F(FileEditorTest, FileGoesIntoADirectoryThatExists) {
    EXPECT_EQ(text(copy({"a.txt"}, "app"), "App/a.txt"), "a");
}

TEST_F(FileEditorTest, TrailingSlashMakesTheDestinationADirectory) {
    EXPECT_EQ(text(copy({"a.txt"}, "x/y/"), "x/y/a.txt"), "a");
}

TEST_F(FileEditorTest, DirectoryCopiesItsContents) {
    Tree tree = copy({"dir"}, "out");
    EXPECT_EQ(text(tree, "out/c.txt"), "c");
    EXPECT_EQ(text(tree, "out/sub/d.log"), "d");
    EXPECT_EQ(tree.find("out/dir"), nullptr);
}

TEST_F(FileEditorTest, RootOfTheSourceIsADirectoryToo) {
    EXPECT_EQ(text(copy({""}, "out"), "out/dir/sub/d.log"), "d");
}

TEST_F(FileEditorTest, WildcardMatchesGoIntoADirectory) {
    Tree tree = copy({"*.txt"}, "out");
    EXPECT_EQ(text(tree, "out/a.txt"), "a");
    EXPECT_EQ(text(tree, "out/b.txt"), "b");
}

TEST_F(FileEditorTest, WildcardWithoutMatchCopiesNothing) {
    EXPECT_EQ(copy({"*.zip"}, "out/").root(), base.root());
}

TEST_F(FileEditorTest, LiteralSourceThatIsMissingIsNotFound) {
    base::Error error = failure({"nope/x.txt"}, "out");
    EXPECT_EQ(error.code(), base::ErrorCode::NotFound);
    EXPECT_STREQ(error.what(), "\"/nope/x.txt\": not found");
}

TEST_F(FileEditorTest, NamesFoldToTheBaseSpelling) {
    tree::TreeEditor source(from);
    source.put("dir/CONFIG.INI", file_node("new", kSource));
    from = source.finish();
    Tree tree = copy({"dir"}, "aPP");
    EXPECT_EQ(tree.locate("app/config.ini")->path, "App/Config.ini");
    EXPECT_EQ(text(tree, "App/Config.ini"), "new");
    EXPECT_EQ(tree.find("")->children.size(), base.root()->children.size());
}

TEST_F(FileEditorTest, NewFilesInheritFromTheirDirectory) {
    Tree tree = copy({"dir"}, "App");
    auto parent = base.find("App")->metadata.descriptor;
    std::string administrator = *tree::builtin_sid("ContainerAdministrator");
    EXPECT_EQ(*tree.find("App/c.txt")->metadata.descriptor,
              *tree::inherit_descriptor(parent, false, administrator));
    auto sub = tree.find("App/sub")->metadata.descriptor;
    EXPECT_EQ(*sub, *tree::inherit_descriptor(parent, true, administrator));
    EXPECT_EQ(*tree.find("App/sub/d.log")->metadata.descriptor,
              *tree::inherit_descriptor(sub, false, administrator));
}

TEST_F(FileEditorTest, ExistingDirectoriesKeepTheirMetadata) {
    Tree tree = copy({"dir"}, "App");
    EXPECT_EQ(tree.find("App")->metadata.modified, kOld);
    EXPECT_EQ(tree.find("App")->metadata.descriptor, base.find("App")->metadata.descriptor);
}

TEST_F(FileEditorTest, CopiesKeepTheirTimeAndWhatIsMadeHasTheEpoch) {
    Tree tree = copy({"a.txt"}, "x/a.txt");
    EXPECT_EQ(tree.find("x/a.txt")->metadata.modified, kSource);
    EXPECT_EQ(tree.find("x")->metadata.modified, kEpoch);
}

TEST_F(FileEditorTest, CopiesFromImagesKeepTheirDescriptor) {
    is_context = false;
    tree::TreeEditor source(from);
    tree::Node file = file_node("s", kSource);
    file.metadata.descriptor = tree::default_descriptor(false);
    file.metadata.attributes |= tree::attribute::kHidden;
    source.put("s", std::move(file));
    from = source.finish();
    Tree tree = copy({"s"}, "App/");
    EXPECT_EQ(*tree.find("App/s")->metadata.descriptor, *tree::default_descriptor(false));
    EXPECT_NE(tree.find("App/s")->metadata.attributes & tree::attribute::kHidden, 0U);

    CopyAction action;
    action.owner = solver::Ownership{"ContainerUser", ""};
    auto changed =
        tree::SecurityDescriptor::parse(*copy({"s"}, "App/", action).find("App/s")->metadata.descriptor);
    EXPECT_EQ(changed.owner, *tree::builtin_sid("ContainerUser"));
    EXPECT_EQ(changed.dacl, tree::SecurityDescriptor::parse(*tree::default_descriptor(false)).dacl);
}

TEST_F(FileEditorTest, LinksInTheDestinationAreFollowed) {
    EXPECT_EQ(text(copy({"a.txt"}, "Link/new/a"), "App/new/a"), "a");
    EXPECT_EQ(text(copy({"a.txt"}, "Link"), "App/a.txt"), "a");
}

TEST_F(FileEditorTest, LinkToNothingInTheDestinationIsAnError) {
    EXPECT_THAT(failure({"a.txt"}, "Broken/a").what(),
                testing::HasSubstr("C:\\Broken, whose target is not there"));
}

TEST_F(FileEditorTest, IndependentLayersDoNotFollowLinks) {
    follow = false;
    EXPECT_THAT(failure({"a.txt"}, "Link/a").what(), testing::HasSubstr("C:\\Link is not a directory"));
}

TEST_F(FileEditorTest, LinksInTheSourceAreFollowedInside) {
    tree::TreeEditor source(from);
    source.put("inside", link_node("dir\\c.txt"));
    from = source.finish();
    Tree tree = copy({"inside"}, "out/");
    EXPECT_EQ(text(tree, "out/inside"), "c");
}

TEST_F(FileEditorTest, LinkOutOfTheContextIsRefused) {
    for (const char* target : {"..\\..\\secret", "\\etc\\passwd", "sub\\..\\..\\..\\secret", "C:\\x"}) {
        tree::TreeEditor source(from);
        source.put("dir/evil", link_node(target));
        source.put("via", link_node("dir\\evil"));
        from = source.finish();
        base::Error error = failure({"via"}, "out/");
        EXPECT_EQ(error.code(), base::ErrorCode::Invalid);
        EXPECT_THAT(error.what(), testing::HasSubstr("leads outside the build context")) << target;
    }
}

TEST_F(FileEditorTest, LinkCyclesEnd) {
    tree::TreeEditor source(from);
    source.put("one", link_node("two"));
    source.put("two", link_node("one"));
    from = source.finish();
    EXPECT_EQ(failure({"one"}, "out/").code(), base::ErrorCode::Invalid);
}

TEST_F(FileEditorTest, ParentStepsInTheSourceAreRefused) {
    EXPECT_THAT(failure({"dir/../../x"}, "out/").what(), testing::HasSubstr("leads outside"));
}

TEST_F(FileEditorTest, LinksInsideDirectoriesStayLinks) {
    tree::TreeEditor source(from);
    source.put("dir/link", link_node("..\\..\\anywhere"));
    from = source.finish();
    tree::NodeRef link = copy({"dir"}, "out").find("out/link");
    ASSERT_EQ(link->kind, NodeKind::Symlink);
    EXPECT_EQ(link->link_target, "..\\..\\anywhere");
}

TEST_F(FileEditorTest, ExcludedFilesAreLeftOut) {
    CopyAction action;
    action.exclude = {"**/*.log"};
    Tree tree = copy({"dir"}, "out", action);
    EXPECT_EQ(text(tree, "out/c.txt"), "c");
    EXPECT_EQ(tree.find("out/sub/d.log"), nullptr);
    action.exclude = {"a.txt"};
    tree = copy({"*.txt"}, "out/", action);
    EXPECT_EQ(tree.find("out/a.txt"), nullptr);
    EXPECT_EQ(text(tree, "out/b.txt"), "b");
}

TEST_F(FileEditorTest, ParentsAreKeptFromThePivotOn) {
    CopyAction action;
    action.keep_parents = true;
    EXPECT_EQ(text(copy({"dir/sub/d.log"}, "out", action), "out/dir/sub/d.log"), "d");
    EXPECT_EQ(text(copy({"dir/./sub/d.log"}, "out", action), "out/sub/d.log"), "d");
    EXPECT_EQ(text(copy({"dir/sub"}, "out", action), "out/dir/sub/d.log"), "d");
}

TEST_F(FileEditorTest, FileInTheWayOfADirectoryIsNamed) {
    EXPECT_THAT(failure({"dir"}, "App/Config.ini").what(),
                testing::HasSubstr("C:\\App\\Config.ini is not a directory"));
    tree::TreeEditor source(from);
    source.put("dir/App", file_node("x"));
    from = source.finish();
    EXPECT_THAT(failure({"dir"}, "").what(), testing::HasSubstr("cannot overwrite the directory C:\\App"));
}

TEST_F(FileEditorTest, ReservedNamesAreRefused) {
    for (const char* name : {"con", "App/aux.txt", "x/nul/y", "App/bad."}) {
        base::Error error = failure({"a.txt"}, name);
        EXPECT_EQ(error.code(), base::ErrorCode::Invalid) << name;
        EXPECT_THAT(error.what(), testing::HasSubstr("the name")) << name;
    }
}

TEST_F(FileEditorTest, ChownNamesBuiltInAccountsAndSids) {
    CopyAction action;
    for (const auto& [user, sid] : std::vector<std::pair<std::string, std::string>>{
             {"ContainerUser", *tree::builtin_sid("ContainerUser")},
             {"S-1-5-32-545", "S-1-5-32-545"},
             {"1000", *tree::builtin_sid("ContainerAdministrator")}}) {
        action.owner = solver::Ownership{user, ""};
        auto descriptor = *copy({"a.txt"}, "App/", action).find("App/a.txt")->metadata.descriptor;
        EXPECT_EQ(tree::SecurityDescriptor::parse(descriptor).owner, sid) << user;
    }
    action.owner = solver::Ownership{"app", ""};
    EXPECT_EQ(failure({"a.txt"}, "App/", action).code(), base::ErrorCode::Unsupported);
    action.owner = solver::Ownership{"S-1-bad", ""};
    EXPECT_EQ(failure({"a.txt"}, "App/", action).code(), base::ErrorCode::Unsupported);
}

// docs/decisions/0008-chmod-on-windows.md
TEST_F(FileEditorTest, ChmodOfWindowsFilesSetsTheirAccess) {
    CopyAction action;
    action.owner = solver::Ownership{"ContainerUser", ""};
    auto sddl = [&](const std::string& mode, std::string_view path = "App/c.txt") {
        action.mode = mode;
        return tree::SecurityDescriptor::parse(*copy({"dir"}, "App", action).find(path)->metadata.descriptor)
            .sddl();
    };
    const std::string user = *tree::builtin_sid("ContainerUser");
    EXPECT_EQ(sddl("600"), "O:" + user + "G:SYD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1301bf;;;" + user + ")");
    EXPECT_EQ(sddl("0755"),
              "O:" + user + "G:SYD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1301bf;;;" + user + ")(A;;0x1200a9;;;WD)");
    EXPECT_EQ(sddl("644"), sddl("0755")) << "who may read may execute";
    EXPECT_EQ(sddl("+x"), sddl("0755"));
    EXPECT_EQ(sddl("go="), sddl("700"));
    EXPECT_EQ(sddl("700", "App/sub"), "O:" + user + "G:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;;0x1301ff;;;" +
                                          user + ")(A;OICIIO;0x1301ff;;;CO)");
    action.owner->group = "Users";
    EXPECT_EQ(sddl("640"),
              "O:" + user + "G:BUD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;0x1301bf;;;" + user + ")(A;;0x1200a9;;;BU)");
}

TEST_F(FileEditorTest, BitsThatWindowsDoesNotHaveAreRefused) {
    CopyAction action;
    for (const char* mode : {"4755", "u+s", "1777"}) {
        action.mode = mode;
        base::Error error = failure({"a.txt"}, "App/", action);
        EXPECT_EQ(error.code(), base::ErrorCode::Unsupported) << mode;
        EXPECT_THAT(error.what(), testing::HasSubstr("setuid, setgid or sticky"));
    }
}

TEST_F(FileEditorTest, OwnerAndModeAreNotOfDirectoriesOnTheWay) {
    CopyAction action;
    action.owner = solver::Ownership{"ContainerUser", ""};
    action.mode = "700";
    Tree tree = copy({"a.txt"}, "x/y/", action);
    auto parent = base.find("")->metadata.descriptor;
    EXPECT_EQ(*tree.find("x")->metadata.descriptor,
              *tree::inherit_descriptor(parent, true, *tree::builtin_sid("ContainerAdministrator")));
    tree = copy({"dir"}, "x/y", action);
    EXPECT_EQ(tree::SecurityDescriptor::parse(*tree.find("x/y")->metadata.descriptor).owner,
              *tree::builtin_sid("ContainerUser"));
    EXPECT_NE(tree::SecurityDescriptor::parse(*tree.find("x")->metadata.descriptor).owner,
              *tree::builtin_sid("ContainerUser"));
}

// A tar with one file, by hand (POSIX pax(1), "ustar Interchange Format").
std::string small_tar(std::string_view name, std::string_view data) {
    std::string tar(2048, '\0');
    tar.replace(0, name.size(), name);
    tar.replace(100, 7, "0000640");
    tar.replace(108, 7, "0001750");  // uid 1000
    tar.replace(116, 7, "0001750");
    tar.replace(124, 11, fmt::format("{:011o}", data.size()));
    tar.replace(136, 11, fmt::format("{:011o}", 2000));
    tar.replace(148, 8, 8, ' ');
    tar[156] = '0';
    tar.replace(257, 8, std::string_view("ustar\00000", 8));
    unsigned sum = 0;
    for (int i = 0; i < 512; ++i) sum += static_cast<unsigned char>(tar[i]);
    tar.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
    tar.replace(512, data.size(), data);
    return tar;
}

TEST_F(FileEditorTest, AddUnpacksArchivesIntoTheDestination) {
    tree::TreeEditor source(from);
    source.put("x.tar", file_node(small_tar("bin/tool.exe", "MZ"), kSource));
    source.put("x.gz", file_node("\x1f\x8b\x08 not really"));
    from = source.finish();
    CopyAction action;
    action.unpack_archives = true;
    Tree tree = copy({"x.tar"}, "app", action);
    EXPECT_EQ(text(tree, "App/bin/tool.exe"), "MZ");
    EXPECT_EQ(text(tree, "App/Config.ini"), "old");
    EXPECT_EQ(tree.find("App/x.tar"), nullptr);
    EXPECT_EQ(tree.find("App/bin/tool.exe")->metadata.modified, kSource);
    // As everything that is put there, by Windows' rule.
    auto copied = copy({"dir"}, "app");
    EXPECT_EQ(*tree.find("App/bin/tool.exe")->metadata.descriptor,
              *copied.find("App/sub/d.log")->metadata.descriptor);
    EXPECT_NE(copy({"x.gz"}, "App/", action).find("App/x.gz"), nullptr);
    EXPECT_NE(copy({"a.txt"}, "App/", action).find("App/a.txt"), nullptr);
    action.unpack_archives = false;
    EXPECT_NE(copy({"x.tar"}, "App/", action).find("App/x.tar"), nullptr);
}

TEST_F(FileEditorTest, UnpackedFilesOfWindowsImagesTakeTheOwnerButNoMode) {
    tree::TreeEditor source(from);
    source.put("x.tar", file_node(small_tar("tool.exe", "MZ")));
    from = source.finish();
    CopyAction action;
    action.unpack_archives = true;
    action.owner = solver::Ownership{"ContainerUser", ""};
    auto plain = *copy({"x.tar"}, "App", action).find("App/tool.exe")->metadata.descriptor;
    EXPECT_EQ(tree::SecurityDescriptor::parse(plain).owner, *tree::builtin_sid("ContainerUser"));
    action.mode = "600";
    EXPECT_EQ(*copy({"x.tar"}, "App", action).find("App/tool.exe")->metadata.descriptor, plain);
}

TEST_F(FileEditorTest, UnpackedFilesOfLinuxImagesKeepOwnerAndModeUnlessChowned) {
    base = Tree(Os::Linux);
    tree::TreeEditor source{Tree(Os::Linux)};
    source.put("x.tar", file_node(small_tar("tool", "x")));
    from = source.finish();
    CopyAction action;
    action.unpack_archives = true;
    auto kept = copy({"x.tar"}, "opt", action).find("opt/tool")->metadata;
    EXPECT_EQ(kept.mode, 0640u);
    EXPECT_EQ(kept.uid, 1000u);
    action.owner = solver::Ownership{"7", "8"};
    auto given = copy({"x.tar"}, "opt", action).find("opt/tool")->metadata;
    EXPECT_EQ(given.mode, 0640u);
    EXPECT_EQ(given.uid, 7u);
    EXPECT_EQ(given.gid, 8u);
    action.mode = "777";
    EXPECT_EQ(copy({"x.tar"}, "opt", action).find("opt/tool")->metadata.mode, 0640u);
    EXPECT_EQ(copy({"x.tar"}, "opt", action).find("opt")->metadata.uid, 7u);
}

TEST_F(FileEditorTest, HardLinksStayOneNewFile) {
    tree::Node file = file_node("h", kSource);
    file.hard_links = std::make_shared<const tree::HardLinkGroup>();
    tree::TreeEditor source(from);
    source.put("dir/h1", file);
    source.put("dir/h2", file);
    from = source.finish();
    Tree tree = copy({"dir"}, "out");
    EXPECT_EQ(tree.find("out/h1")->hard_links, tree.find("out/h2")->hard_links);
    EXPECT_NE(tree.find("out/h1")->hard_links, file.hard_links);
}

TEST_F(FileEditorTest, SystemFoldersOfAnImageAreNotCopied) {
    is_context = false;
    tree::TreeEditor source(from);
    source.put("System Volume Information", directory_node());
    source.put("WcSandboxState", directory_node());
    from = source.finish();
    Tree tree = copy({""}, "out");
    EXPECT_EQ(tree.find("out/System Volume Information"), nullptr);
    EXPECT_EQ(tree.find("out/WcSandboxState"), nullptr);
    EXPECT_EQ(text(tree, "out/a.txt"), "a");
}

TEST_F(FileEditorTest, WrittenFilesAndDirectoriesHaveTheEpoch) {
    FileEditor editor(base, kEpoch);
    editor.write_file({"app", true, "note.txt", "hello\n", {}, {}});
    editor.make_directory({"x/y", {}});
    EXPECT_EQ(text(editor.tree(), "App/note.txt"), "hello\n");
    EXPECT_EQ(editor.tree().find("App/note.txt")->metadata.modified, kEpoch);
    EXPECT_EQ(editor.tree().find("x/y")->metadata.modified, kEpoch);
    EXPECT_NE(editor.tree().find("x/y")->metadata.descriptor, nullptr);
}

TEST_F(FileEditorTest, ExistingWorkingDirectoryChangesNothing) {
    FileEditor editor(base, kEpoch);
    editor.make_directory({"APP", {}});
    EXPECT_EQ(editor.tree().root(), base.root());
}

TEST_F(FileEditorTest, LinuxImagesTakeNumbersAndOctalModes) {
    base = Tree(Os::Linux);
    from = Tree(Os::Linux);
    tree::TreeEditor source(from);
    tree::Node file = file_node("x");
    file.metadata.mode = 0600;
    source.put("x", file);
    from = source.finish();
    CopyAction action;
    action.owner = solver::Ownership{"10", "20"};
    action.mode = "755";
    auto metadata = copy({"x"}, "bin/", action).find("bin/x")->metadata;
    EXPECT_EQ(metadata.uid, 10U);
    EXPECT_EQ(metadata.gid, 20U);
    EXPECT_EQ(metadata.mode, 0755U);
    action.mode = "77777";
    EXPECT_EQ(failure({"x"}, "bin/", action).code(), base::ErrorCode::Invalid);
    action.mode = "u+x,g=r";
    auto tree = copy({"x"}, "bin/", action);
    EXPECT_EQ(tree.find("bin/x")->metadata.mode, 0740U);
    EXPECT_EQ(tree.find("bin")->metadata.mode, 0755U);
    EXPECT_EQ(tree.find("bin")->metadata.uid, 0U);
}

class OtherOsTest : public FileEditorTest {
  protected:
    void put(const std::string& path, tree::Node node) {
        tree::TreeEditor editor(from);
        editor.put(path, std::move(node));
        from = editor.finish();
    }
    static tree::Node link(std::string target) {
        tree::Node node = link_node(std::move(target));
        node.metadata.attributes = 0;
        return node;
    }
};

TEST_F(OtherOsTest, LinuxFilesBecomeWindowsFiles) {
    is_context = false;
    from = Tree(Os::Linux);
    tree::Node file = file_node("MZ", kSource);
    file.metadata.mode = 0755;
    file.metadata.uid = 1000;
    file.metadata.attributes = 0;
    put("out", directory_node(kSource));
    put("out/app.exe", file);
    put("out/Data", directory_node(kSource));
    put("out/lib", link("/out/Data"));
    put("out/rel", link("Data/../app.exe"));
    Tree tree = copy({"out"}, "App");
    auto metadata = tree.find("App/app.exe")->metadata;
    EXPECT_EQ(text(tree, "App/APP.EXE"), "MZ");
    EXPECT_EQ(metadata.attributes, tree::attribute::kArchive);
    EXPECT_EQ(metadata.mode, 0U);
    EXPECT_EQ(metadata.uid, 0U);
    EXPECT_EQ(metadata.modified, kSource);
    EXPECT_EQ(*metadata.descriptor, *tree::inherit_descriptor(base.find("App")->metadata.descriptor, false,
                                                              *tree::builtin_sid("ContainerAdministrator")));
    EXPECT_EQ(tree.find("App/lib")->link_target, "C:\\out\\Data");
    EXPECT_EQ(tree.find("App/lib")->metadata.attributes,
              tree::attribute::kReparsePoint | tree::attribute::kDirectory);
    EXPECT_EQ(tree.find("App/rel")->link_target, "Data\\..\\app.exe");
    EXPECT_EQ(tree.find("App/rel")->metadata.attributes, tree::attribute::kReparsePoint);
}

TEST_F(OtherOsTest, WhatWindowsCannotHoldIsRefused) {
    is_context = false;
    from = Tree(Os::Linux);
    put("out", directory_node());
    put("out/a", file_node("1"));
    put("out/A", file_node("2"));
    EXPECT_THAT(failure({"out"}, "App").what(), testing::HasSubstr("/out/A and /out/a differ only by case"));
    put("aux.c", file_node("1"));
    EXPECT_THAT(failure({"aux.c"}, "App/").what(), testing::HasSubstr("the name"));
}

TEST_F(OtherOsTest, WindowsFilesBecomeLinuxFiles) {
    is_context = false;
    base = Tree(Os::Linux);
    tree::Node file = file_node("x", kSource);
    file.metadata.descriptor = tree::default_descriptor(false);
    put("dir/x", file);
    put("dir/here", link_node("sub\\d.log"));
    put("dir/there", link_node("C:\\dir\\sub", NodeKind::Junction));
    Tree tree = copy({"dir"}, "out");
    EXPECT_EQ(tree.find("out/x")->metadata.mode, 0644U);
    EXPECT_EQ(tree.find("out/x")->metadata.descriptor, nullptr);
    EXPECT_EQ(tree.find("out/x")->metadata.attributes, 0U);
    EXPECT_EQ(tree.find("out/sub")->metadata.mode, 0755U);
    EXPECT_EQ(tree.find("out/here")->link_target, "sub/d.log");
    EXPECT_EQ(tree.find("out/there")->kind, NodeKind::Symlink);
    EXPECT_EQ(tree.find("out/there")->link_target, "/dir/sub");
    put("dir/far", link_node("\\\\server\\share"));
    EXPECT_EQ(failure({"dir"}, "out").code(), base::ErrorCode::Unsupported);
}

}  // namespace
}  // namespace mullion::test
