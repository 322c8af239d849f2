#include "worker/step_changes.hpp"

#include "base/error.hpp"
#include "tests/worker/worker_test.hpp"
#include "tree/security_descriptor.hpp"

namespace mullion::test {
namespace {

using hcs::RawChange;
using tree::Os;
using tree::Removal;
using tree::Tree;
using tree::Upsert;

class StepChangesTest : public testing::Test {
  protected:
    StepChangesTest()
        : directory(std::filesystem::temp_directory_path(), "mullion-step"), lower(Os::Windows) {
        tree::TreeEditor editor(lower);
        tree::Node app = directory_node(kOld);
        app.metadata.descriptor = tree::default_descriptor(true);
        editor.put("App", app);
        tree::Node file = file_node("old", kOld);
        file.metadata.attributes |= tree::attribute::kHidden;
        file.metadata.descriptor = tree::default_descriptor(false);
        file.metadata.created = base::FileTime::from_seconds(5);
        editor.put("App/File.txt", file);
        lower = editor.finish();
    }

    RawChange file(const std::string& path, const std::string& data, base::FileTime modified) {
        std::filesystem::path host = directory.path() / std::to_string(count++);
        base::write_file_atomic(host, data);
        RawChange change;
        change.path = path;
        change.content = host;
        change.size = data.size();
        change.modified = modified;
        return change;
    }
    static RawChange of_kind(const std::string& path, RawChange::Kind kind) {
        RawChange change;
        change.path = path;
        change.kind = kind;
        change.modified = kDuring;
        return change;
    }
    tree::Delta delta(std::vector<RawChange> changes) {
        worker::StepRules rules{lower, kStart, kEpoch, owner};
        return worker::delta_of_changes({std::move(changes), {}}, rules, contents, {});
    }
    static const Upsert& upsert(const tree::Delta& delta, const std::string& path) {
        for (const auto& change : delta.changes) {
            if (tree::path_of(change) == path) return std::get<Upsert>(change);
        }
        throw std::runtime_error("no change of " + path);
    }

    static constexpr base::FileTime kOld = base::FileTime::from_seconds(1000);
    static constexpr base::FileTime kStart = base::FileTime::from_seconds(5000);
    static constexpr base::FileTime kDuring = base::FileTime::from_seconds(5001);
    static constexpr base::FileTime kEpoch = base::FileTime::from_seconds(3000);
    base::TempDir directory;
    int count = 0;
    Tree lower;
    std::string owner = *tree::builtin_sid("ContainerUser");
    tree::HostContent contents;
};

TEST_F(StepChangesTest, NewFilesInheritAndHaveTheEpoch) {
    auto made = delta({file("App/new.txt", "new", kDuring)});
    const auto& metadata = upsert(made, "App/new.txt").node->metadata;
    EXPECT_EQ(metadata.modified, kEpoch);
    EXPECT_EQ(metadata.created, kEpoch);
    EXPECT_EQ(metadata.attributes, tree::attribute::kArchive);
    EXPECT_EQ(*metadata.descriptor, *tree::inherit_descriptor(tree::default_descriptor(true), false, owner));
    EXPECT_EQ(tree::SecurityDescriptor::parse(*metadata.descriptor).owner, owner);
}

TEST_F(StepChangesTest, TimesFromBeforeTheStepStay) {
    auto made = delta({file("App/unzipped.txt", "x", kOld)});
    EXPECT_EQ(upsert(made, "App/unzipped.txt").node->metadata.modified, kOld);
    EXPECT_EQ(upsert(made, "App/unzipped.txt").node->metadata.accessed, kOld);
}

TEST_F(StepChangesTest, ParentsKeepTheirOwnMetadata) {
    auto made = delta({of_kind("App", RawChange::Kind::Directory), file("App/new.txt", "new", kDuring)});
    EXPECT_EQ(upsert(made, "App").node->metadata.modified, kOld);
    EXPECT_EQ(upsert(made, "App").node->metadata.descriptor, lower.find("App")->metadata.descriptor);
}

TEST_F(StepChangesTest, ChangedFilesKeepAttributesAndDescriptor) {
    auto made = delta({file("app/FILE.TXT", "changed", kDuring)});
    const auto& change = upsert(made, "App/File.txt");
    EXPECT_NE(change.node->metadata.attributes & tree::attribute::kHidden, 0U);
    EXPECT_EQ(*change.node->metadata.descriptor, *tree::default_descriptor(false));
    EXPECT_EQ(change.node->metadata.created, base::FileTime::from_seconds(5));
    EXPECT_EQ(change.node->metadata.modified, kEpoch);
}

TEST_F(StepChangesTest, ReadOnlyComesFromTheChange) {
    auto change = file("App/File.txt", "old", kOld);
    change.read_only = true;
    auto made = delta({change});
    EXPECT_NE(upsert(made, "App/File.txt").node->metadata.attributes & tree::attribute::kReadOnly, 0U);
    EXPECT_EQ(upsert(made, "App/File.txt").node->metadata.modified, kOld);
}

TEST_F(StepChangesTest, FileThatWasOnlyCopiedUpIsNoChange) {
    EXPECT_TRUE(delta({file("App/File.txt", "old", kOld)}).empty());
    EXPECT_FALSE(delta({file("App/File.txt", "OLD", kOld)}).empty());
    EXPECT_FALSE(delta({file("App/File.txt", "old", kDuring)}).empty());
}

TEST_F(StepChangesTest, DirectoriesThatWereThereAreNoChange) {
    EXPECT_TRUE(delta({of_kind("App", RawChange::Kind::Directory)}).empty());
}

TEST_F(StepChangesTest, NewDirectoriesPassTheirDescriptorOn) {
    auto made = delta({of_kind("App/new", RawChange::Kind::Directory), file("App/new/x", "x", kDuring)});
    auto directory_descriptor = upsert(made, "App/new").node->metadata.descriptor;
    EXPECT_EQ(*directory_descriptor, *tree::inherit_descriptor(tree::default_descriptor(true), true, owner));
    EXPECT_EQ(*upsert(made, "App/new/x").node->metadata.descriptor,
              *tree::inherit_descriptor(directory_descriptor, false, owner));
}

// Those of a mount point or a script, which the step did not make.
TEST_F(StepChangesTest, ParentsThatWereThereForTheStepOnlyAreMade) {
    auto made = delta({file("work/in/a.txt", "a", kDuring), file("WORK/b.txt", "b", kDuring)});
    ASSERT_EQ(made.changes.size(), 4U);
    const auto& metadata = upsert(made, "work/in").node->metadata;
    EXPECT_EQ(upsert(made, "work/in").node->kind, tree::NodeKind::Directory);
    EXPECT_EQ(metadata.modified, kEpoch);
    EXPECT_EQ(*metadata.descriptor,
              *tree::inherit_descriptor(upsert(made, "work").node->metadata.descriptor, true, owner));
    EXPECT_NE(tree::apply(lower, made).find("work/b.txt"), nullptr);
}

TEST_F(StepChangesTest, RemovalsOfWhatIsThere) {
    auto made = delta({of_kind("App/file.txt", RawChange::Kind::Removal),
                       of_kind("App/never.txt", RawChange::Kind::Removal)});
    ASSERT_EQ(made.changes.size(), 2U);
    EXPECT_EQ(std::get<Removal>(made.changes[1]).path, "App/File.txt");
}

TEST_F(StepChangesTest, CaseClashIsRefused) {
    try {
        delta({file("App/new.txt", "1", kDuring), file("App/NEW.txt", "2", kDuring)});
        FAIL() << "no error";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Invalid);
        EXPECT_THAT(error.what(), testing::HasSubstr("only by case"));
    }
}

TEST_F(StepChangesTest, NamesNoWindowsHasAreRefused) {
    EXPECT_THROW(delta({file("App/nul", "1", kDuring)}), base::Error);
    EXPECT_THROW(delta({file("App/a?b", "1", kDuring)}), base::Error);
}

TEST_F(StepChangesTest, HardLinksBecomeLinksToTheFirstName) {
    auto a = file("App/a", "x", kDuring);
    auto b = a;
    b.path = "App/b";
    a.hard_link_group = b.hard_link_group = 1;
    for (bool recorded : {false, true}) {
        if (recorded) a.metadata = b.metadata = tree::Metadata();
        auto made = delta({a, b});
        EXPECT_FALSE(upsert(made, "App/a").hard_link);
        EXPECT_EQ(upsert(made, "App/b").hard_link, "App/a");
        Tree upper = tree::apply(lower, made);
        EXPECT_NE(upper.find("App/a")->hard_links, nullptr);
        EXPECT_EQ(upper.find("App/b")->hard_links, upper.find("App/a")->hard_links);
    }
}

TEST_F(StepChangesTest, NewNameOfAnUnchangedFileLinksToIt) {
    auto old = file("App/File.txt", "old", kOld);
    auto link = old;
    link.path = "App/link.txt";
    old.hard_link_group = link.hard_link_group = 3;
    auto made = delta({old, link});
    ASSERT_EQ(made.changes.size(), 2U);
    EXPECT_EQ(upsert(made, "App/link.txt").hard_link, "App/File.txt");
    EXPECT_NE(tree::apply(lower, made).find("App/link.txt")->content, nullptr);
}

TEST_F(StepChangesTest, StreamsAreAddedToTheFile) {
    auto change = file("App/File.txt", "old", kOld);
    std::filesystem::path stream = directory.path() / "stream";
    base::write_file_atomic(stream, "zone");
    change.streams.push_back({"Zone.Identifier", stream});
    auto made = delta({change});
    ASSERT_EQ(upsert(made, "App/File.txt").node->streams.size(), 1U);
    EXPECT_EQ(upsert(made, "App/File.txt").node->streams[0].content->size(), 4U);
}

TEST_F(StepChangesTest, LinkOutOfTheImageIsRefused) {
    auto link = of_kind("App/link", RawChange::Kind::Symlink);
    link.link_target = "/etc/passwd";
    EXPECT_THROW(delta({link}), base::Error);
    for (const char* target : {"../../x", "a/../../../x", "..\\..\\x", "\\x", "D:/x", "./.././../x"}) {
        link.link_target = target;
        EXPECT_THROW(delta({link}), base::Error) << target;
    }
    link.link_target = "../x";
    EXPECT_EQ(upsert(delta({link}), "App/link").node->link_target, "..\\x");
}

// What Windows exported is the truth: nothing of the lower file shows through but where times are the step's.
TEST_F(StepChangesTest, RecordedMetadataIsTakenAsItIs) {
    RawChange change = file("App/File.txt", "new", kDuring);
    tree::Metadata recorded;
    recorded.attributes = tree::attribute::kSystem;
    recorded.descriptor = tree::default_descriptor(true);
    recorded.set_times(kDuring);
    recorded.created = kOld;
    change.metadata = recorded;
    auto made = delta({change});
    const tree::Metadata& metadata = upsert(made, "App/File.txt").node->metadata;
    EXPECT_EQ(metadata.attributes, tree::attribute::kSystem);
    EXPECT_EQ(*metadata.descriptor, *tree::default_descriptor(true));
    EXPECT_EQ(metadata.created, kOld);
    EXPECT_EQ(metadata.modified, kEpoch);
}

TEST_F(StepChangesTest, RecordedLinksKeepTheirTargets) {
    RawChange junction = of_kind("App/link", RawChange::Kind::Junction);
    junction.link_target = "D:\\elsewhere";
    junction.metadata.emplace().attributes = tree::attribute::kReparsePoint;
    auto made = delta({junction});
    EXPECT_EQ(upsert(made, "App/link").node->kind, tree::NodeKind::Junction);
    EXPECT_EQ(upsert(made, "App/link").node->link_target, "D:\\elsewhere");
}

TEST_F(StepChangesTest, HivesTravelBesideTheFiles) {
    hcs::LayerChanges changes;
    changes.hives = {file("System_Delta", "regf", kDuring)};
    auto made = worker::delta_of_changes(changes, {lower, kStart, kEpoch, owner}, contents, {});
    ASSERT_EQ(made.hives.size(), 1u);
    const auto& hive = std::get<Upsert>(made.hives[0]);
    EXPECT_EQ(hive.path, "System_Delta");
    EXPECT_EQ(hive.node->metadata.modified, kEpoch);
    EXPECT_EQ(hive.node->content->size(), 4u);
}

}  // namespace
}  // namespace mullion::test
