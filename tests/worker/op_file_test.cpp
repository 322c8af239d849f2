#include "base/error.hpp"
#include "tests/worker/worker_test.hpp"
#include "tree/base_image.hpp"
#include "tree/layer_tar.hpp"
#include "worker/file_editor.hpp"

namespace mullion::test {
namespace {

using solver::CopyAction;
using testing::Contains;
using testing::Not;

class FileOpTest : public WorkerTest {
  protected:
    static CopyAction action(std::vector<std::string> sources, std::string destination) {
        CopyAction copy;
        copy.sources = std::move(sources);
        copy.destination = std::move(destination);
        return copy;
    }
    solver::Edge copy_step(std::vector<std::string> sources, std::string destination) {
        return copy(base_image(), context(), action(std::move(sources), std::move(destination)));
    }
    // Solves in a fresh worker and says whether COPY was cached.
    bool cached_again(const std::function<solver::Edge()>& make) {
        restart();
        RecordedProgress fresh;
        solver::Edge edge = make();
        solver::Solver solver([&](const solver::VertexRef& wanted) { return worker().resolve(wanted); },
                              &state->keys(), fresh);
        solver.solve({edge}, cancel);
        auto names = fresh.cached();
        return std::find(names.begin(), names.end(), "COPY") != names.end();
    }
};

TEST_F(FileOpTest, CopiesFromTheContextIntoAnImage) {
    write("hello.txt", "Hello!\n");
    auto snapshot = solve(copy_step({"hello.txt"}, "hello.txt"));
    EXPECT_EQ(snapshot->layers().size(), 2U);
    EXPECT_EQ(read(snapshot, "hello.txt"), "Hello!\n");
    EXPECT_EQ(read(snapshot, "windows/system32/CMD.EXE"), "MZ cmd");
}

TEST_F(FileOpTest, LayerRepeatsParentsWithTheirOwnMetadata) {
    write("x", "1");
    auto snapshot = solve(copy_step({"x"}, "program files/x"));
    auto delta = snapshot->top()->delta(tree::Os::Windows, cancel);
    ASSERT_EQ(delta->changes.size(), 2U);
    const auto& parent = std::get<tree::Upsert>(delta->changes[0]);
    EXPECT_EQ(parent.path, "Program Files");
    EXPECT_EQ(parent.node->metadata.modified, kBaseTime);
    EXPECT_NE(parent.node->metadata.descriptor, nullptr);
    EXPECT_EQ(std::get<tree::Upsert>(delta->changes[1]).path, "Program Files/x");
}

TEST_F(FileOpTest, WrittenLayerPassesTheImportersRules) {
    write("dir/a.txt", "a");
    write("dir/b/c.txt", std::string(3 << 20, 'x'));
    auto snapshot = solve(copy_step({"dir"}, "app"));
    auto written = worker().parts().writer.write_all(*snapshot, cancel);
    auto raw = state->content().open(written[1].blob, cancel);
    auto tar = oci::decompress(*raw, 1 << 30);
    auto findings = tree::verify_layer(*tar, false, &snapshot->below()->tree(cancel), cancel);
    for (const auto& finding : findings) ADD_FAILURE() << finding.entry << ": " << finding.text;
}

TEST_F(FileOpTest, UnchangedContextIsCached) {
    write("a.txt", "1");
    write("other.txt", "1");
    auto make = [&] { return copy_step({"a.txt"}, "a.txt"); };
    solve(make());
    write("other.txt", "2");
    EXPECT_TRUE(cached_again(make));
    write("a.txt", "2");
    EXPECT_FALSE(cached_again(make));
}

TEST_F(FileOpTest, NameOfASingleSourceCountsOnlyAsBaseName) {
    write("one/a.txt", "1");
    write("two/a.txt", "1");
    solve(copy_step({"one/a.txt"}, "a.txt"));
    EXPECT_TRUE(cached_again([&] { return copy_step({"two/a.txt"}, "a.txt"); }));
}

TEST_F(FileOpTest, NewNameInADirectoryIsNotCached) {
    write("dir/a.txt", "1");
    auto make = [&] { return copy_step({"dir"}, "out"); };
    solve(make());
    std::filesystem::rename(path("context/dir/a.txt"), path("context/dir/b.txt"));
    EXPECT_FALSE(cached_again(make));
}

TEST_F(FileOpTest, IgnoredFilesDoNotExist) {
    write("a.txt", "1");
    write("b.txt", "1");
    auto edge = copy(base_image(), context({"b.txt"}), action({"b.txt"}, "x/"));
    base::Error error = failure(edge);
    EXPECT_EQ(error.code(), base::ErrorCode::NotFound);
    EXPECT_THAT(error.what(), testing::HasSubstr("\"/b.txt\": not found"));
    EXPECT_THAT(error.hint(), testing::HasSubstr("ignore file"));
}

TEST_F(FileOpTest, SymlinkOutOfTheContextIsRefused) {
#ifdef _WIN32
    GTEST_SKIP() << "Wine makes no symlinks";
#endif
    std::filesystem::create_symlink("/etc/passwd", path("context/evil"));
    base::Error error = failure(copy_step({"evil"}, "x/"));
    EXPECT_THAT(error.what(), testing::HasSubstr("leads outside the build context"));
}

TEST_F(FileOpTest, CaseClashInTheContextIsRefused) {
#ifdef _WIN32
    GTEST_SKIP() << "the host allows no such names";
#endif
    write("dir/File.txt", "1");
    write("dir/FILE.TXT", "2");
    EXPECT_THAT(failure(copy_step({"dir"}, "x")).what(), testing::HasSubstr("differ only by case"));
}

TEST_F(FileOpTest, CopiesFromAnotherStage) {
    write("tool.exe", "MZ tool");
    auto build = copy(scratch(), context(), action({"tool.exe"}, "out/tool.exe"));
    auto snapshot = solve(copy(base_image(), build, action({"out/tool.exe"}, "tool.exe")));
    EXPECT_EQ(read(snapshot, "tool.exe"), "MZ tool");
}

TEST_F(FileOpTest, WorkdirMakesOneLayerEvenIfItExists) {
    solver::FileOperation operation;
    operation.actions.emplace_back(solver::MakeDirectoryAction{"windows", {}});
    auto snapshot = solve(vertex(operation, {base_image()}, "WORKDIR"));
    EXPECT_EQ(snapshot->layers().size(), 2U);
    EXPECT_TRUE(snapshot->top()->delta(tree::Os::Windows, cancel)->empty());
}

TEST_F(FileOpTest, FullyCachedBuildComputesNoTree) {
    write("a.txt", "1");
    auto make = [&] { return copy(base_image(), context(), action({"a.txt"}, "a.txt")); };
    {
        solver::Edge edge = make();
        auto snapshot = solve(edge);
        worker().parts().writer.write_all(*snapshot, cancel);
        solver::Solver solver([&](const solver::VertexRef& wanted) { return worker().resolve(wanted); },
                              &state->keys(), progress);
        auto results = solver.solve({edge}, cancel);
        worker().parts().writer.write_all(*worker::snapshot_of(results[0]), cancel);
        solver.save_late(edge, results[0]);
    }
    restart();
    solver::Edge edge = make();
    std::filesystem::remove_all(path("state/index"));
    auto snapshot = solve(edge);
    ASSERT_EQ(snapshot->layers().size(), 2U);
    EXPECT_TRUE(snapshot->layers()[1]->written());
    EXPECT_FALSE(std::filesystem::exists(path("state/index/sha256")) &&
                 !std::filesystem::is_empty(path("state/index/sha256")));
}

TEST_F(FileOpTest, LinuxLayersLeaveTheRootAlone) {
    write("a.txt", "a");
    for (bool independent : {false, true}) {
        solver::FileOperation operation;
        operation.independent = independent;
        operation.actions.emplace_back(action({"a.txt"}, "opt/a.txt"));
        std::get<CopyAction>(operation.actions[0]).input = 1;
        auto linux_vertex = [](solver::Operation made, std::vector<solver::Edge> inputs) {
            std::string bytes = solver::serialise({"linux/amd64", std::move(made)});
            return solver::Edge{solver::Vertex::make(std::move(bytes), std::move(inputs), {}), 0};
        };
        auto from = linux_vertex(solver::LocalSource{"context", {}}, {});
        auto made = linux_vertex(std::move(operation), {linux_vertex(solver::ScratchSource{}, {}), from});
        auto delta = solve(made)->top()->delta(tree::Os::Linux, cancel);
        EXPECT_FALSE(delta->files_root) << "the root would get no permissions at all";
        ASSERT_EQ(delta->changes.size(), 2U);
        EXPECT_EQ(std::get<tree::Upsert>(delta->changes[0]).node->metadata.mode, 0755U);
    }
}

class LinkTest : public FileOpTest {
  protected:
    // COPY --link as the front end lowers it.
    solver::Edge link(solver::Edge base, std::vector<std::string> sources, std::string destination,
                      std::optional<solver::Ownership> owner = {}) {
        solver::FileOperation operation;
        operation.independent = true;
        CopyAction copy = action(std::move(sources), std::move(destination));
        copy.input = 1;
        copy.owner = std::move(owner);
        operation.actions.emplace_back(std::move(copy));
        auto layer = vertex(std::move(operation), {scratch(), context()}, "COPY --link");
        return vertex(solver::MergeOperation{}, {std::move(base), std::move(layer)}, "LINK");
    }
    worker::WrittenLayer top_of(const solver::Edge& edge) {
        auto snapshot = solve(edge);
        auto layers = worker().parts().writer.write_all(*snapshot, cancel);
        auto raw = state->content().open(layers.back().blob, cancel);
        auto tar = oci::decompress(*raw, 1 << 30);
        for (const auto& finding :
             tree::verify_layer(*tar, false, &snapshot->below()->tree(cancel), cancel)) {
            ADD_FAILURE() << finding.entry << ": " << finding.text;
        }
        return layers.back();
    }
    static tree::Delta other_base(base::FileTime time) {
        return tree::base_image_layer({.os_version = "10.0.26100.1", .time = time});
    }
};

TEST_F(LinkTest, LayerIsTheSameOnEveryBase) {
    write("dir/a.txt", "a");
    for (const char* destination : {"app", "Program Files/app", "windows/SYSTEM32/app"}) {
        auto one = top_of(link(base_image(), {"dir"}, destination));
        auto two = top_of(link(image({other_base(base::FileTime::from_seconds(1))}), {"dir"}, destination));
        EXPECT_EQ(one, two) << destination;
    }
}

TEST_F(LinkTest, DirectoriesOfWindowsKeepTheirDescriptors) {
    write("a.txt", "a");
    auto base = solve(image({other_base(kBaseTime)}));
    auto snapshot =
        solve(link(image({other_base(kBaseTime)}), {"a.txt"}, "users/containeruser/Desktop/a.txt"));
    for (const char* path : {"Users", "Users/ContainerUser", "Users/ContainerUser/Desktop"}) {
        auto node = snapshot->tree(cancel).find(path);
        EXPECT_EQ(snapshot->tree(cancel).locate(path)->path, path);
        EXPECT_EQ(*node->metadata.descriptor, *base->tree(cancel).find(path)->metadata.descriptor) << path;
        EXPECT_EQ(node->metadata.attributes, base->tree(cancel).find(path)->metadata.attributes) << path;
    }
    EXPECT_EQ(read(snapshot, "Users/ContainerUser/Desktop/a.txt"), "a");
    EXPECT_NE(snapshot->tree(cancel).find("Windows/System32/config/SYSTEM"), nullptr);
}

TEST_F(LinkTest, TheRootsDescriptorStays) {
    write("a.txt", "a");
    auto base = base_image();
    auto root = solve(base)->tree(cancel).root()->metadata.descriptor;
    ASSERT_NE(root, nullptr);
    auto snapshot = solve(link(base, {"a.txt"}, "app/a.txt"));
    ASSERT_NE(snapshot->tree(cancel).root()->metadata.descriptor, nullptr);
    EXPECT_EQ(*snapshot->tree(cancel).root()->metadata.descriptor, *root);
}

TEST_F(LinkTest, NewBaseRunsNothingAgain) {
    write("a.txt", "a");
    auto made = [&] {
        auto linked = progress.cached();
        return std::count(linked.begin(), linked.end(), "COPY --link");
    };
    auto first = link(base_image(), {"a.txt"}, "app/a.txt");
    auto snapshot = solve(first);
    worker().parts().writer.write_all(*snapshot, cancel);
    {
        solver::Solver solver([&](const solver::VertexRef& wanted) { return worker().resolve(wanted); },
                              &state->keys(), progress);
        auto layer = first.vertex->inputs()[1];
        auto result = solver.solve({layer}, cancel)[0];
        worker().parts().writer.write_all(*worker::snapshot_of(result), cancel);
        solver.save_late(layer, result);
    }
    snapshot.reset();
    restart();
    auto before = made();
    EXPECT_EQ(read(solve(link(image({other_base(kBaseTime)}), {"a.txt"}, "app/a.txt")), "app/a.txt"), "a");
    EXPECT_EQ(made(), before + 1);
}

TEST_F(LinkTest, NamesOfTheImageMeanNothing) {
    write("a.txt", "a");
    base::Error error = failure(link(base_image(), {"a.txt"}, "app/a.txt", solver::Ownership{"app", ""}));
    EXPECT_THAT(error.what(), testing::HasSubstr("--link"));
    auto snapshot = solve(link(base_image(), {"a.txt"}, "app/a.txt", solver::Ownership{"ContainerUser", ""}));
    EXPECT_EQ(snapshot->layers().size(), 2U);
}

TEST_F(FileOpTest, OperationWithoutItsInputsIsRefused) {
    solver::FileOperation operation;
    operation.actions.emplace_back(action({"a"}, "b"));
    std::get<CopyAction>(operation.actions[0]).input = 7;
    EXPECT_EQ(failure(vertex(operation, {scratch()})).code(), base::ErrorCode::Invalid);
    EXPECT_EQ(failure(vertex(solver::FileOperation{}, {})).code(), base::ErrorCode::Invalid);
}

TEST_F(FileOpTest, UnknownContextIsNamed) {
    auto missing = vertex(solver::LocalSource{"elsewhere", {}});
    EXPECT_THAT(failure(copy(scratch(), missing, action({"a"}, "b"))).what(),
                testing::HasSubstr("no context named \"elsewhere\""));
}

}  // namespace
}  // namespace mullion::test
