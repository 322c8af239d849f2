// What every backend's layer storage must do: scratches, and reading back what a container changed.
#include <gmock/gmock.h>

#include "base/error.hpp"
#include "tests/conformance/hcs_backend.hpp"
#include "tests/support/errors.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using hcs::RawChange;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
namespace fs = std::filesystem;

TEST_P(LayerStorageSuite, AppendingLeavesExactlyTheOneFile) {
    write("hello.txt", "Hello!\r\n");
    base::FileTime before = base::FileTime::now();
    CommandResult result = run("cmd /S /C \"echo Goodbye! >> hello.txt\"");
    ASSERT_THAT(result.paths(RawChange::Kind::File), ElementsAre("hello.txt"));
    EXPECT_EQ(result.changes.files.size(), 1u);
    EXPECT_EQ(content_of(result.changes.files[0]), "Hello!\r\nGoodbye! \r\n");
    EXPECT_GE(result.changes.files[0].modified.ticks, before.ticks - base::FileTime::kTicksPerSecond);
    EXPECT_EQ(result.changes.files[0].size, 19u);
}

TEST_P(LayerStorageSuite, LayersStayAsTheyAre) {
    write("hello.txt", "Hello!\r\n");
    run("cmd /S /C \"echo Goodbye! >> hello.txt& md new\"");
    EXPECT_EQ(base::read_file(base_layer() / "Files/hello.txt", 100), "Hello!\r\n");
    EXPECT_FALSE(fs::exists(base_layer() / "Files/new"));
}

TEST_P(LayerStorageSuite, NamesKeepTheLowerLayersCasing) {
    write("Program Data/App/Settings.ini", "a");
    CommandResult result = run("cmd /S /C \"echo b> \"C:\\PROGRAM DATA\\app\\SETTINGS.INI\"\"");
    EXPECT_THAT(result.paths(RawChange::Kind::File), ElementsAre("Program Data/App/Settings.ini"));
    EXPECT_EQ(result.changes.files.size(), 1u);
}

TEST_P(LayerStorageSuite, DeletesThroughOtherCasingAreRemovalsOfTheRightName) {
    write("Program Data/App/ToDelete.txt", "a");
    write("Program Data/App/Keep.txt", "b");
    CommandResult result = run("cmd /S /C \"del \"C:\\program data\\APP\\todelete.TXT\"\"");
    EXPECT_THAT(result.paths(RawChange::Kind::Removal), ElementsAre("Program Data/App/ToDelete.txt"));
    EXPECT_EQ(result.changes.files.size(), 1u);
}

TEST_P(LayerStorageSuite, RemovedDirectoryIsOneRemoval) {
    write("tree/a/b/c.txt", "1");
    write("tree/d.txt", "2");
    CommandResult result = run("cmd /S /C \"rmdir /s /q C:\\tree\"");
    EXPECT_THAT(result.paths(RawChange::Kind::Removal), ElementsAre("tree"));
    EXPECT_EQ(result.changes.files.size(), 1u);
}

TEST_P(LayerStorageSuite, ReplacedDirectoryIsRemovalsOfWhatItLost) {
    write("tree/old.txt", "1");
    write("tree/both.txt", "1");
    write("tree/sub/deep.txt", "1");
    CommandResult result =
        run("cmd /S /C \"rmdir /s /q C:\\tree& md C:\\TREE& echo 2>C:\\tree\\both.txt& echo "
            "3>C:\\tree\\new.txt\"");
    EXPECT_THAT(result.paths(RawChange::Kind::Removal), UnorderedElementsAre("tree/old.txt", "tree/sub"));
    EXPECT_THAT(result.paths(RawChange::Kind::File), ElementsAre("tree/both.txt", "tree/new.txt"));
    EXPECT_THAT(result.paths(RawChange::Kind::Directory), IsEmpty());
}

TEST_P(LayerStorageSuite, FileMadeAgainInAnotherCasingIsOneUpsert) {
    write("data/Readme.TXT", "old");
    CommandResult result = run("cmd /S /C \"del C:\\data\\readme.txt& echo new>C:\\data\\README.txt\"");
    EXPECT_THAT(result.paths(RawChange::Kind::Removal), IsEmpty());
    EXPECT_THAT(result.paths(RawChange::Kind::File), ElementsAre("data/Readme.TXT"));
    EXPECT_EQ(content_of(result.changes.files[0]), "new\r\n");
}

TEST_P(LayerStorageSuite, FileInPlaceOfADirectoryIsOneUpsert) {
    write("thing/inside.txt", "old");
    CommandResult result = run("cmd /S /C \"rmdir /s /q C:\\thing& echo new>C:\\thing\"");
    ASSERT_EQ(result.changes.files.size(), 1u);
    EXPECT_EQ(result.changes.files[0].path, "thing");
    EXPECT_EQ(result.changes.files[0].kind, RawChange::Kind::File);
}

TEST_P(LayerStorageSuite, ParentsComeBeforeChildren) {
    CommandResult result = run("cmd /S /C \"md C:\\x\\y& echo 1>C:\\x\\y\\z.txt& echo 2>C:\\x-.txt\"");
    std::vector<std::string> order;
    for (const RawChange& change : result.changes.files) order.push_back(change.path);
    EXPECT_THAT(order, ElementsAre("x", "x/y", "x/y/z.txt", "x-.txt"));
}

TEST_P(LayerStorageSuite, ReadOnlyAttributeIsReported) {
    CommandResult result = run("cmd /S /C \"echo 1>C:\\a.txt& echo 2>C:\\b.txt& attrib +r C:\\a.txt\"");
    ASSERT_NE(result.find("a.txt"), nullptr);
    EXPECT_TRUE(result.find("a.txt")->read_only);
    ASSERT_NE(result.find("b.txt"), nullptr);
    EXPECT_FALSE(result.find("b.txt")->read_only);
}

TEST_P(LayerStorageSuite, HardLinksShareAGroup) {
    CommandResult result =
        run("cmd /S /C \"echo 1>C:\\a.txt& mklink /H C:\\b.txt C:\\a.txt& echo 3>C:\\c.txt\"");
    ASSERT_NE(result.find("b.txt"), nullptr);
    EXPECT_TRUE(result.find("a.txt")->hard_link_group.has_value());
    EXPECT_EQ(result.find("a.txt")->hard_link_group, result.find("b.txt")->hard_link_group);
    EXPECT_FALSE(result.find("c.txt")->hard_link_group.has_value());
}

TEST_P(LayerStorageSuite, StreamsBelongToTheirFile) {
    write("lower.txt", "from below");
    CommandResult result = run("cmd /S /C \"echo s>C:\\a.txt:one& echo t>C:\\lower.txt:two\"");
    const RawChange* fresh = result.find("a.txt");
    ASSERT_NE(fresh, nullptr);
    ASSERT_EQ(fresh->streams.size(), 1u);
    EXPECT_EQ(fresh->streams[0].name, "one");
    EXPECT_EQ(base::read_file(fresh->streams[0].content, 100), "s\r\n");
    EXPECT_EQ(content_of(*fresh), "");
    const RawChange* lower = result.find("lower.txt");
    ASSERT_NE(lower, nullptr);
    EXPECT_EQ(content_of(*lower), "from below");
    ASSERT_EQ(lower->streams.size(), 1u);
    EXPECT_EQ(lower->streams[0].name, "two");
    EXPECT_EQ(result.changes.files.size(), 2u);
}

TEST_P(LayerStorageSuite, StreamsGoWithTheirFile) {
    write("lower.txt", "from below");
    write("stays.txt", "from below");
    CommandResult result =
        run("cmd /S /C \"echo s>C:\\lower.txt:two& del C:\\lower.txt& echo s>C:\\stays.txt:two\"");
    EXPECT_THAT(result.paths(RawChange::Kind::Removal), ElementsAre("lower.txt"));
    EXPECT_THAT(result.paths(RawChange::Kind::File), ElementsAre("stays.txt"));
}

TEST_P(LayerStorageSuite, StreamsOfADirectoryAreItsChange) {
    write("data/inside.txt", "x");
    CommandResult result = run("cmd /S /C \"echo s>C:\\data:two& echo t>C:\\Users:three\"");
    for (const char* path : {"Users", "data"}) {
        ASSERT_NE(result.find(path), nullptr) << path;
        EXPECT_EQ(result.find(path)->kind, RawChange::Kind::Directory);
        EXPECT_EQ(result.find(path)->streams.size(), 1u);
    }
}

TEST_P(LayerStorageSuite, RegistryChangesAreReported) {
    CommandResult result =
        run("cmd /S /C \"reg add HKLM\\Software\\Contoso /v Name /t REG_SZ /d \"a b\" /f >nul& "
            "reg add HKCU\\Environment /v ADDED /t REG_SZ /d 1 /f >nul\"");
    std::vector<std::string> texts;
    for (const hcs::RegistryChange& change : result.changes.registry) texts.push_back(hcs::to_string(change));
    EXPECT_THAT(texts, Contains("key added: HKLM\\Software\\Contoso"));
    EXPECT_THAT(texts, Contains("value set: HKLM\\Software\\Contoso Name=\"a b\""));
    EXPECT_THAT(texts, Contains("value set: HKCU\\Environment ADDED=\"1\""));
    EXPECT_EQ(texts.size(), 3u);
}

TEST_P(LayerStorageSuite, ReadingTheRegistryChangesNothing) {
    CommandResult result = run("cmd /S /C \"reg query HKLM\\Software\\Microsoft /s >nul& chcp 65001 >nul\"");
    EXPECT_THAT(result.changes.registry, IsEmpty());
    EXPECT_THAT(result.changes.files, IsEmpty());
}

TEST_P(LayerStorageSuite, UpperLayersWinAndTheirDeletionsHold) {
    write("both.txt", "base");
    write("gone.txt", "base");
    fs::path top = scratch("top");
    fs::create_directories(top);
    if (backend_.storage->imports_layers()) {
        auto both = std::make_shared<tree::Node>();
        both->kind = tree::NodeKind::File;
        both->content = tree::Content::inline_bytes("top");
        tree::Delta delta;
        delta.changes = {tree::Upsert{"both.txt", both}, tree::Removal{"gone.txt"}};
        tree::HostContent contents;
        backend_.storage->import_layer(top, {{base_layer()}, delta, contents}, {});
    } else {
        fs::create_directories(top / "Files");
        base::write_file_atomic(top / "Files/both.txt", "top");
        backend_.storage->make_whiteout(top / "Files/gone.txt");
    }
    options_.parents = {top, base_layer()};
    CommandResult result =
        run("cmd /S /C \"type C:\\both.txt& del C:\\both.txt& if exist C:\\gone.txt echo GONE\"");
    EXPECT_EQ(result.out, "top");
    EXPECT_THAT(result.paths(RawChange::Kind::Removal), ElementsAre("both.txt"));
}

TEST_P(LayerStorageSuite, LayersThatNobodyUsesCanBeRemoved) {
    write("directory/read-only.txt", "x");
    fs::permissions(base_layer() / "Files/directory/read-only.txt", fs::perms::owner_read);
    backend_.storage->remove_layer(base_layer());
    EXPECT_FALSE(fs::exists(base_layer()));
    backend_.storage->remove_layer(base_layer());
}

TEST_P(LayerStorageSuite, ScratchThatNeverRanHasNoChanges) {
    document();
    hcs::LayerChanges changes = backend_.storage->export_layer(last_scratch_, {});
    EXPECT_THAT(changes.files, IsEmpty());
    EXPECT_THAT(changes.registry, IsEmpty());
}

TEST_P(LayerStorageSuite, ASecondSystemContinuesInTheScratch) {
    hcs::ComputeSystemDocument configuration = document();
    for (const char* line : {"cmd /C echo 1>C:\\one.txt", "cmd /C copy C:\\one.txt C:\\two.txt"}) {
        auto system = backend_.compute->create("again", configuration, {});
        system->start({});
        base::StringSink out, err;
        auto process = system->create_process(command(line), {nullptr, &out, &err}, {});
        EXPECT_EQ(process->wait(std::nullopt, {}).ExitCode, 0u) << out.data() << err.data();
        process.reset();
        system->shut_down({});
    }
    EXPECT_EQ(backend_.storage->export_layer(last_scratch_, {}).files.size(), 2u);
}

TEST_P(LayerStorageSuite, AScratchKeepsItsHostName) {
    hcs::ComputeSystemDocument configuration = document();
    configuration.Container.GuestOs = hcs::GuestOs{"first"};
    auto named = [&] {
        auto system = backend_.compute->create("named", configuration, {});
        system->start({});
        base::StringSink out, err;
        auto process = system->create_process(command("cmd /C hostname"), {nullptr, &out, &err}, {});
        process->wait(std::nullopt, {});
        process.reset();
        system->shut_down({});
        return out.take();
    };
    EXPECT_EQ(named(), "FIRST\r\n");
    configuration.Container.GuestOs.reset();
    EXPECT_EQ(named(), "FIRST\r\n");
    configuration.Container.GuestOs = hcs::GuestOs{"second"};
    EXPECT_EQ(code_of([&] { backend_.compute->create("named", configuration, {}); }), ErrorCode::Invalid);
}

TEST_P(LayerStorageSuite, CallOrderIsEnforced) {
    hcs::LayerStorage& storage = *backend_.storage;
    fs::path own = scratch("own");
    EXPECT_EQ(code_of([&] { storage.create_scratch(own, {}); }), ErrorCode::Invalid);
    EXPECT_EQ(code_of([&] {
                  storage.create_scratch(own,
                                         {.parents = {scratch("absent")}, .os_version = {}, .users = {}});
              }),
              ErrorCode::NotFound);
    EXPECT_EQ(code_of([&] { storage.attach(own); }), ErrorCode::Invalid);
    storage.create_scratch(own, options_);
    EXPECT_EQ(code_of([&] { storage.create_scratch(own, options_); }), ErrorCode::Exists);
    storage.attach(own);
    EXPECT_EQ(code_of([&] { storage.attach(own); }), ErrorCode::Exists);
    EXPECT_EQ(code_of([&] { storage.destroy(own); }), ErrorCode::Invalid);
    storage.detach(own);
    storage.detach(own);
    storage.destroy(own);
    EXPECT_FALSE(fs::exists(own));
    storage.destroy(own);
    EXPECT_EQ(code_of([&] { storage.destroy(base_layer()); }), ErrorCode::Invalid);
    EXPECT_TRUE(fs::exists(base_layer()));
}

TEST_P(LayerStorageSuite, TerminatedScratchesAreNotContinued) {
    hcs::ComputeSystemDocument configuration = document();
    {
        auto system = backend_.compute->create("terminated", configuration, {});
        system->start({});
        system->terminate();
    }
    EXPECT_EQ(code_of([&] { backend_.compute->create("again", configuration, {}); }), ErrorCode::Invalid);
    EXPECT_EQ(code_of([&] { backend_.storage->export_layer(last_scratch_, {}); }), ErrorCode::Invalid);
}

TEST_P(LayerStorageSuite, RunningSystemsCannotBeExported) {
    auto system = start_system();
    EXPECT_EQ(code_of([&] { backend_.storage->export_layer(last_scratch_, {}); }), ErrorCode::Invalid);
}

}  // namespace

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(LayerStorageSuite);

}  // namespace mullion::test
