#include "worker/file_editor.hpp"

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
        editor.copy(action, {from, is_context}, contents, {});
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

TEST_F(FileEditorTest, ChmodOfWindowsFilesIsRefused) {
    CopyAction action;
    action.mode = "755";
    base::Error error = failure({"a.txt"}, "App/", action);
    EXPECT_EQ(error.code(), base::ErrorCode::Unsupported);
    EXPECT_THAT(error.what(), testing::HasSubstr("--chmod=755"));
}

TEST_F(FileEditorTest, ArchivesThatAddWouldUnpackAreRefused) {
    std::string tar(512, '\0');
    tar.replace(257, 5, "ustar");
    tree::TreeEditor source(from);
    source.put("x.tar", file_node(tar));
    source.put("x.xz", file_node(std::string("\xFD"
                                             "7zXZ\0",
                                             6)));
    source.put("x.gz", file_node("\x1f\x8b\x08 not really"));
    from = source.finish();
    CopyAction action;
    action.unpack_archives = true;
    EXPECT_EQ(failure({"x.tar"}, "App/", action).code(), base::ErrorCode::Unsupported);
    EXPECT_EQ(failure({"x.xz"}, "App/", action).code(), base::ErrorCode::Unsupported);
    EXPECT_NE(copy({"x.gz"}, "App/", action).find("App/x.gz"), nullptr);
    EXPECT_NE(copy({"a.txt"}, "App/", action).find("App/a.txt"), nullptr);
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
    action.mode = "u+x";
    EXPECT_EQ(failure({"x"}, "bin/", action).code(), base::ErrorCode::Unsupported);
}

}  // namespace
}  // namespace mullion::test
