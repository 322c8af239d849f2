#include "worker/materialiser.hpp"

#include <sys/stat.h>

#include "base/error.hpp"
#include "tests/worker/worker_test.hpp"
#include "tree/layer_tar.hpp"
#include "worker/host_link.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;
using tree::Os;
using tree::Tree;
using worker::Layer;
using worker::Snapshot;
using worker::SnapshotRef;

class MaterialiserTest : public WorkerTest {
  protected:
    // A layer that turns `below` into what `edit` makes of it.
    SnapshotRef add(SnapshotRef below, const std::function<void(tree::TreeEditor&)>& edit) {
        tree::TreeEditor editor(below->tree(cancel));
        edit(editor);
        auto delta = std::make_shared<tree::Delta>(tree::diff(below->tree(cancel), editor.finish()));
        return Snapshot::on_top(below, std::make_shared<Layer>(std::move(delta)));
    }
    std::vector<fs::path> folders(const SnapshotRef& snapshot) {
        worker().parts().writer.write_all(*snapshot, cancel);
        return worker().parts().materialiser.folders(*snapshot, cancel);
    }
    static std::string text(const fs::path& file) { return base::read_file(file, 1 << 24); }
    SnapshotRef nothing = Snapshot::empty({});
};

TEST_F(MaterialiserTest, FoldersAreTopmostFirst) {
    auto one = add(nothing, [](auto& editor) { editor.put("a", file_node("1")); });
    auto two = add(one, [](auto& editor) { editor.put("b", file_node("2")); });
    auto found = folders(two);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(text(found[0] / "Files/b"), "2");
    EXPECT_EQ(text(found[1] / "Files/a"), "1");
}

TEST_F(MaterialiserTest, NamesFoldToTheLayersBelow) {
    auto one = add(nothing, [](auto& editor) {
        editor.put("Program Files", directory_node());
        editor.put("Program Files/App", directory_node());
    });
    // As another tool writes it: its own spelling.
    tree::Delta delta;
    delta.changes.push_back(tree::Upsert{"program files", std::make_shared<tree::Node>(directory_node())});
    delta.changes.push_back(
        tree::Upsert{"program files/APP", std::make_shared<tree::Node>(directory_node())});
    delta.changes.push_back(
        tree::Upsert{"program files/APP/x", std::make_shared<tree::Node>(file_node("x"))});
    auto two = Snapshot::on_top(one, std::make_shared<Layer>(std::make_shared<const tree::Delta>(delta)));
    auto found = folders(two);
    EXPECT_EQ(text(found[0] / "Files/Program Files/App/x"), "x");
    EXPECT_FALSE(fs::exists(found[0] / "Files/program files"));
}

TEST_F(MaterialiserTest, RemovalsAreWhiteouts) {
    auto one = add(nothing, [](auto& editor) {
        editor.put("d", directory_node());
        editor.put("d/x", file_node("1"));
        editor.put("d/y", file_node("1"));
        editor.put("gone", directory_node());
    });
    auto two = add(one, [](auto& editor) {
        editor.remove("d/x");
        editor.remove("gone");
    });
    auto top = folders(two)[0] / "Files";
    EXPECT_TRUE(FakeServices::is_whiteout(top / "d/x"));
    EXPECT_TRUE(FakeServices::is_whiteout(top / "gone"));
    EXPECT_FALSE(fs::exists(fs::symlink_status(top / "d/y")));
}

TEST_F(MaterialiserTest, DirectoryMadeAnewHidesWhatItHad) {
    auto one = add(nothing, [](auto& editor) {
        editor.put("d", directory_node());
        editor.put("d/old", file_node("1"));
    });
    tree::Delta delta;
    delta.changes.push_back(tree::Removal{"d"});
    delta.changes.push_back(tree::Upsert{"d", std::make_shared<tree::Node>(directory_node())});
    delta.changes.push_back(tree::Upsert{"d/new", std::make_shared<tree::Node>(file_node("2"))});
    tree::canonicalise(delta, one->tree(cancel));
    auto two = Snapshot::on_top(one, std::make_shared<Layer>(std::make_shared<const tree::Delta>(delta)));
    auto top = folders(two)[0] / "Files/d";
    EXPECT_TRUE(FakeServices::is_whiteout(top / "old"));
    EXPECT_EQ(text(top / "new"), "2");
}

TEST_F(MaterialiserTest, ManyFilesAreStreamedAndKeepTimeAndAttributes) {
    constexpr base::FileTime kTime = base::FileTime::from_seconds(1'234'567'890);
    auto one = add(nothing, [&](auto& editor) {
        for (int i = 0; i < 100; ++i) {
            tree::Node node = file_node(std::string(static_cast<std::size_t>(i) * 1000, 'a'), kTime);
            if (i == 7) node.metadata.attributes |= tree::attribute::kReadOnly;
            editor.put("f" + std::to_string(i), node);
        }
    });
    auto files = folders(one)[0] / "Files";
    struct stat info {};
    for (int i = 0; i < 100; ++i) {
        ASSERT_EQ(::stat((files / ("f" + std::to_string(i))).c_str(), &info), 0);
        EXPECT_EQ(info.st_size, i * 1000);
        EXPECT_EQ(info.st_mtim.tv_sec, 1'234'567'890);
        EXPECT_EQ((info.st_mode & 0200) == 0, i == 7);
    }
}

TEST_F(MaterialiserTest, UnpackedOnce) {
    auto one = add(nothing, [](auto& editor) { editor.put("a", file_node("1")); });
    auto first = folders(one);
    EXPECT_EQ(folders(one), first);
    EXPECT_EQ(fs::last_write_time(first[0]), fs::last_write_time(folders(one)[0]));
}

TEST_F(MaterialiserTest, FoldersOfRecordedStepsSurviveGarbageCollection) {
    int count = 0;
    fake.body = [&](const FakeProcess& process) {
        process.write("f.txt", std::to_string(++count));
        return 0;
    };
    auto make = [&] { return run(run(run(base_image(), {"one"}), {"two"}), {"three"}); };
    std::vector<fs::path> used = folders(solve(make())->below());
    ASSERT_EQ(used.size(), 3U);
    restart();
    std::vector<fs::path> unused =
        folders(add(nothing, [](auto& editor) { editor.put("unused", file_node("1")); }));
    restart();
    EXPECT_GT(state->images().collect_garbage(), 0U);
    for (const fs::path& folder : used) EXPECT_TRUE(fs::exists(folder / "Files")) << folder;
    EXPECT_FALSE(fs::exists(unused.at(0)));
}

TEST_F(MaterialiserTest, HardLinksAreOneFile) {
    auto one = add(nothing, [](auto& editor) {
        tree::Node file = file_node("h");
        file.hard_links = std::make_shared<const tree::HardLinkGroup>();
        editor.put("a", file);
        editor.put("b", file);
    });
    auto files = folders(one)[0] / "Files";
    EXPECT_TRUE(fs::equivalent(files / "a", files / "b"));
}

TEST_F(MaterialiserTest, StreamsAreFilesWithAColon) {
    auto one = add(nothing, [](auto& editor) {
        tree::Node file = file_node("main");
        file.streams.push_back({"Zone.Identifier", tree::Content::inline_bytes("zone")});
        editor.put("a", file);
    });
    EXPECT_EQ(text(folders(one)[0] / "Files/a:Zone.Identifier"), "zone");
}

TEST_F(MaterialiserTest, LinksStayInsideAndRelative) {
    auto one = add(nothing, [](auto& editor) {
        editor.put("Users", directory_node());
        editor.put("Users/All", directory_node());
        editor.put("Users/All/x", file_node("x"));
        editor.put("Documents and Settings", link_node("C:\\users", tree::NodeKind::Junction));
        editor.put("Users/up", link_node("..\\..\\..\\..\\Users\\All"));
        editor.put("Users/dangling", link_node("\\Nowhere\\x"));
        editor.put("Users/other", link_node("\\\\server\\share\\x"));
        editor.put("Users/drive", link_node("D:\\x"));
    });
    auto files = folders(one)[0] / "Files";
    EXPECT_EQ(fs::read_symlink(files / "Documents and Settings"), "Users");
    EXPECT_EQ(fs::read_symlink(files / "Users/up"), "All");
    EXPECT_EQ(fs::read_symlink(files / "Users/dangling"), "../Nowhere/x");
    EXPECT_FALSE(fs::exists(fs::symlink_status(files / "Users/other")));
    EXPECT_FALSE(fs::exists(fs::symlink_status(files / "Users/drive")));
}

TEST_F(MaterialiserTest, DeepStacksAreMergedBelow) {
    SnapshotRef at = nothing;
    for (int i = 0; i < 60; ++i) {
        at = add(at, [&](auto& editor) {
            editor.put("f" + std::to_string(i), file_node(std::to_string(i)));
            if (i == 5) editor.remove("f0");
        });
    }
    auto found = folders(at);
    ASSERT_EQ(found.size(), worker::Materialiser::kMaxFolders);
    EXPECT_EQ(text(found.front() / "Files/f59"), "59");
    EXPECT_EQ(text(found.back() / "Files/f3"), "3");
    EXPECT_FALSE(fs::exists(fs::symlink_status(found.back() / "Files/f0")));
}

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

TEST_F(MaterialiserTest, ImportedLayersAreMadeOnceEachUponTheOnesBelow) {
    fake.imports = true;
    auto one = add(nothing, [](auto& editor) {
        editor.put("a", file_node("1"));
        editor.put("gone", file_node("x"));
    });
    auto two = add(one, [](auto& editor) {
        editor.put("b", file_node("2"));
        editor.remove("gone");
    });
    auto found = folders(two);
    ASSERT_EQ(found.size(), 2U);
    ASSERT_EQ(fake.imported.size(), 2U);
    EXPECT_THAT(fake.imported[0].parents, IsEmpty());
    EXPECT_THAT(fake.imported[0].files, ElementsAre(Pair("a", "1"), Pair("gone", "x")));
    EXPECT_THAT(fake.imported[1].parents, ElementsAre(found[1]));
    EXPECT_THAT(fake.imported[1].files, ElementsAre(Pair("b", "2")));
    EXPECT_THAT(fake.imported[1].removals, ElementsAre("gone"));
    EXPECT_EQ(folders(two), found);
    EXPECT_EQ(fake.imported.size(), 2U);
}

TEST_F(MaterialiserTest, LayerWithParentStepsIsRefused) {
    // "Files/../../evil" in an otherwise sound ustar header.
    auto entry = [](std::string name, char type) {
        std::string header(512, '\0');
        header.replace(0, name.size(), name);
        header.replace(100, 7, "0000644");
        header.replace(124, 11, "00000000000");
        header.replace(136, 11, "00000000000");
        header[156] = type;
        header.replace(257, 8, std::string("ustar\00000", 8));
        header.replace(148, 8, "        ");
        unsigned sum = 0;
        for (unsigned char c : header) sum += c;
        header.replace(148, 7, fmt::format("{:06o}", sum) + '\0');
        return header;
    };
    std::string tar = entry("Hives", '5') + entry("Files", '5') + entry("Files/../../evil", '0');
    tar += std::string(1024, '\0');
    auto blob = state->content().writer();
    blob->write(tar);
    auto committed = blob->commit();
    worker::WrittenLayer layer{
        base::DiffId{base::Digest::of(tar)},
        {std::string(oci::media_type::kLayer), committed.digest, committed.size, {}, {}, {}}};
    auto snapshot = worker().parts().blobs.stack({}, {layer});
    EXPECT_THROW(worker().parts().materialiser.folders(*snapshot, cancel), base::Error);
    EXPECT_FALSE(fs::exists(path("state/evil")));
    EXPECT_FALSE(fs::exists(path("evil")));
}

TEST_F(MaterialiserTest, TruncatedBlobIsCorrupt) {
    auto one = add(nothing, [](auto& editor) { editor.put("a", file_node(std::string(100'000, 'q'))); });
    auto written = worker().parts().writer.write_all(*one, cancel);
    fs::resize_file(state->content().path_of(written[0].blob.digest), written[0].blob.size / 2);
    fs::remove_all(path("state/index"));
    restart();
    EXPECT_EQ(worker::load_payload(worker::save_payload(*one), worker().parts().blobs), nullptr);
}

TEST_F(MaterialiserTest, FailedUnpackingLeavesNoFolder) {
    std::string long_name(255, 'n');
    // Legal for NTFS, which counts UTF-16 units, but too long for the host in UTF-8.
    std::string name;
    for (int i = 0; i < 200; ++i) name += "\u00e9";
    auto one = add(nothing, [&](auto& editor) { editor.put(name, file_node("x")); });
    EXPECT_THROW(folders(one), base::Error);
    for (const auto& entry : fs::directory_iterator(path("state/layers"))) {
        EXPECT_FALSE(fs::exists(entry.path() / "Files")) << entry.path();
    }
}

TEST(HostLinkTest, LinuxLinksAreRelativeToTheImagesRoot) {
    tree::TreeEditor editor{Tree(Os::Linux)};
    tree::Node dir;
    editor.put("usr", dir);
    editor.put("usr/lib", dir);
    editor.put("usr/link", link_node("/usr/lib"));
    Tree tree = editor.finish();
    EXPECT_EQ(worker::host_link_target(tree, "usr/link", *tree.find("usr/link")), "lib");
}

}  // namespace
}  // namespace mullion::test
