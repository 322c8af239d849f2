// RUN --mount: what the process finds, what it leaves, what counts for the key (dockerfile.md §9, §18).
#include <thread>

#include "tests/worker/worker_test.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

class StepMountsTest : public WorkerTest {
  protected:
    solver::Edge exec(std::vector<solver::Mount> mounts, std::vector<solver::Edge> more = {}) {
        solver::ExecOperation operation;
        operation.mounts = std::move(mounts);
        return exec(std::move(operation), std::move(more));
    }
    solver::Edge exec(solver::ExecOperation operation, std::vector<solver::Edge> more = {}) {
        if (operation.arguments.empty()) operation.arguments = {"cmd"};
        operation.epoch_ticks = kEpoch.ticks;
        std::vector<solver::Edge> inputs = {base_image()};
        inputs.insert(inputs.end(), more.begin(), more.end());
        return vertex(std::move(operation), std::move(inputs), "RUN");
    }
    // What the last process had mounted at a path.
    const hcs::MappedDirectory& mapped(std::string_view path) {
        for (const auto& mapping : fake.processes.back().document.Container.MappedDirectories) {
            if (mapping.ContainerPath == path) return mapping;
        }
        throw std::runtime_error("nothing is mapped to " + std::string(path));
    }
    // Solves while the process runs `look`.
    worker::SnapshotRef solve_while(const solver::Edge& edge, const std::function<void()>& look) {
        fake.body = [&](const FakeProcess&) {
            look();
            return 0;
        };
        return solve(edge);
    }
    static std::string host_file(const hcs::MappedDirectory& mapping, std::string_view below = {}) {
        fs::path path = mapping.HostPath;
        return base::read_file(below.empty() ? path : path / below, 1 << 20);
    }
    // Solves in a fresh worker; how many processes ran.
    std::size_t runs_of(const std::function<solver::Edge()>& make) {
        restart();
        fake.processes.clear();
        solve(make());
        return fake.processes.size();
    }
};

TEST_F(StepMountsTest, BoundDirectoriesShowTheirInputAndCountByContent) {
    write("src/a.txt", "1");
    auto make = [&] { return exec({solver::BindMount{1, "src", "mnt/in", false}}, {context()}); };
    auto snapshot = solve_while(make(), [&] {
        EXPECT_TRUE(mapped("C:\\mnt\\in").ReadOnly);
        EXPECT_EQ(host_file(mapped("C:\\mnt\\in"), "a.txt"), "1");
    });
    EXPECT_EQ(snapshot->tree(cancel).find("mnt"), nullptr);
    fake.body = [](const FakeProcess&) { return 0; };
    write("other.txt", "x");
    EXPECT_EQ(runs_of(make), 0U);
    write("src/a.txt", "2");
    EXPECT_EQ(runs_of(make), 1U);
}

TEST_F(StepMountsTest, BoundFilesToo) {
    write("nuget.config", "<config/>");
    auto make = [&] {
        return exec({solver::BindMount{1, "nuget.config", "cfg/NuGet.Config", true}}, {context()});
    };
    solve_while(make(), [&] {
        const auto& mapping = mapped("C:\\cfg\\NuGet.Config");
        EXPECT_FALSE(mapping.ReadOnly);
        EXPECT_EQ(host_file(mapping), "<config/>");
        base::write_file_atomic(mapping.HostPath, "scribbled over");
    });
    EXPECT_EQ(base::read_file(path("context") / "nuget.config", 100), "<config/>");
    fake.body = [](const FakeProcess&) { return 0; };
    EXPECT_EQ(runs_of(make), 0U);
    write("nuget.config", "<other/>");
    EXPECT_EQ(runs_of(make), 1U);
}

TEST_F(StepMountsTest, WhatIsNotThereOrWouldHideSomethingElseIsRefused) {
    write("file", "1");
    write("directory/file", "1");
    EXPECT_EQ(failure(exec({solver::BindMount{1, "nope", "mnt", false}}, {context()})).code(),
              base::ErrorCode::NotFound);
    auto hides_directory = failure(exec({solver::BindMount{1, "file", "Windows", false}}, {context()}));
    EXPECT_THAT(hides_directory.what(), HasSubstr("C:\\Windows is a directory"));
    auto hides_file =
        failure(exec({solver::BindMount{1, "directory", "Windows/System32/CMD.EXE", false}}, {context()}));
    EXPECT_THAT(hides_file.what(), HasSubstr("is a file"));
    options.secrets["a:b"] = "value";
    restart();
    auto name = failure(exec({solver::SecretMount{"a:b", "run/secrets/a:b", {}, false}}));
    EXPECT_THAT(name.what(), HasSubstr("C:\\run\\secrets\\a:b: a:b contains ':'"));
    EXPECT_TRUE(fake.processes.empty());
}

TEST_F(StepMountsTest, MountsInsideOthersHaveTheirPlaceAndComeLater) {
    write("src/a.txt", "1");
    options.secrets["key"] = "value";
    solver::SecretMount secret{"key", "work/src/key.txt", {}, false};
    auto edge = exec(
        {solver::CacheMount{"work/OBJ", "obj"}, secret,
         solver::BindMount{1, "src/a.txt", "work/b.txt", false}, solver::BindMount{1, "", "work", false}},
        {context()});
    solve_while(edge, [&] {
        const auto& all = fake.processes.back().document.Container.MappedDirectories;
        ASSERT_EQ(all.size(), 4U);
        EXPECT_EQ(all[0].ContainerPath, "C:\\work");
        EXPECT_TRUE(fs::is_directory(fs::path(all[0].HostPath) / "OBJ"));
        EXPECT_TRUE(fs::is_regular_file(fs::path(all[0].HostPath) / "b.txt"));
        EXPECT_TRUE(fs::is_regular_file(fs::path(all[0].HostPath) / "src/key.txt"));
    });
}

TEST_F(StepMountsTest, CachesKeepWhatStepsWriteWhateverTheTarget) {
    auto one = exec({solver::CacheMount{"nuget", "/packages"}});
    solve_while(one, [&] { base::write_file_atomic(fs::path(mapped("C:\\nuget").HostPath) / "p", "kept"); });
    restart();
    auto other = exec({solver::CacheMount{"elsewhere", "/packages", {}, {}, "", false}});
    solve_while(other, [&] {
        EXPECT_TRUE(mapped("C:\\elsewhere").ReadOnly);
        EXPECT_EQ(host_file(mapped("C:\\elsewhere"), "p"), "kept");
    });
    auto third = exec({solver::CacheMount{"nuget", "/others"}});
    solve_while(third, [&] { EXPECT_TRUE(fs::is_empty(mapped("C:\\nuget").HostPath)); });
}

TEST_F(StepMountsTest, ACacheMountedTwiceIsOneEvenIfLocked) {
    auto locked = [](const char* target) {
        return solver::CacheMount{target, "/id", solver::CacheSharing::Locked};
    };
    solve_while(exec({locked("a"), locked("b")}),
                [&] { EXPECT_EQ(mapped("C:\\a").HostPath, mapped("C:\\b").HostPath); });
}

TEST_F(StepMountsTest, NewCachesBeginWithWhatTheirSourceHas) {
    write("seed/one.txt", "1");
    solver::CacheMount mount{"c", "/id", {}, 1, "seed"};
    solve_while(exec({mount}, {context()}), [&] {
        EXPECT_EQ(host_file(mapped("C:\\c"), "one.txt"), "1");
        base::write_file_atomic(fs::path(mapped("C:\\c").HostPath) / "one.txt", "changed");
    });
    restart();
    mount.target = "d";
    solve_while(exec({mount}, {context()}),
                [&] { EXPECT_EQ(host_file(mapped("C:\\d"), "one.txt"), "changed"); });
    write("seed/one.txt", "2");  // another beginning, another cache
    restart();
    solve_while(exec({mount}, {context()}), [&] { EXPECT_EQ(host_file(mapped("C:\\d"), "one.txt"), "2"); });
}

TEST_F(StepMountsTest, KeysLeaveOutTheIdsAndSharingOfCaches) {
    auto make = [&](const char* target, const char* id, solver::CacheSharing sharing) {
        return [=, this] { return exec({solver::CacheMount{target, id, sharing}}); };
    };
    solve(make("c", "/one", solver::CacheSharing::Shared)());
    EXPECT_EQ(runs_of(make("c", "/two", solver::CacheSharing::Locked)), 0U);
    EXPECT_EQ(runs_of(make("d", "/one", solver::CacheSharing::Shared)), 1U);
}

TEST_F(StepMountsTest, TmpfsIsTheBackendsMemory) {
    solve_while(exec({solver::TmpfsMount{"t", 4096}, solver::TmpfsMount{"u", {}, false}}), [&] {
        EXPECT_EQ(mapped("C:\\t").HostPath, "memory of 4096");
        EXPECT_FALSE(mapped("C:\\t").ReadOnly);
        EXPECT_EQ(mapped("C:\\u").HostPath, "memory of 0");
        EXPECT_TRUE(mapped("C:\\u").ReadOnly);
    });
}

TEST_F(StepMountsTest, SecretsAreFilesAndVariables) {
    options.secrets["token"] = "hush-hush\n";
    solver::SecretMount both{"token", "run/secrets/token", "TOKEN", true};
    solver::ExecOperation operation;
    operation.mounts = {both};
    operation.environment = {"token=other"};
    solve_while(exec(operation), [&] {
        const auto& mapping = mapped("C:\\run\\secrets\\token");
        EXPECT_TRUE(mapping.ReadOnly);
        EXPECT_EQ(host_file(mapping), "hush-hush\n");
        EXPECT_THAT(mapping.HostPath, Not(HasSubstr(path("state").string())));
        EXPECT_EQ(fake.processes.back().parameters.Environment,
                  (std::map<std::string, std::string>{{"token", "hush-hush\n"}}));
    });
}

TEST_F(StepMountsTest, AbsentSecretsAreLeftOutUnlessRequired) {
    auto variable = solver::SecretMount{"token", {}, "TOKEN", false};
    solve_while(exec({solver::SecretMount{"token", "s", {}, false}, variable}), [&] {
        EXPECT_TRUE(fake.processes.back().document.Container.MappedDirectories.empty());
        EXPECT_TRUE(fake.processes.back().parameters.Environment.empty());
    });
    auto error = failure(exec({solver::SecretMount{"token", "s", {}, true}}));
    EXPECT_EQ(error.code(), base::ErrorCode::NotFound);
    EXPECT_THAT(error.what(), HasSubstr("secret token: not found"));
    EXPECT_THAT(error.hint(), HasSubstr("--secret id=token,src=FILE"));
}

TEST_F(StepMountsTest, ValuesOfSecretsAreNoPartOfTheKey) {
    auto make = [&] { return exec({solver::SecretMount{"token", "s", {}, true}}); };
    options.secrets["token"] = "one-value";
    solve(make());
    options.secrets["token"] = "another-value";
    EXPECT_EQ(runs_of(make), 0U);
}

TEST_F(StepMountsTest, OutputAndErrorsShowNoSecret) {
    options.secrets["token"] = "hush-hush";
    solver::ExecOperation operation;
    operation.mounts = {solver::SecretMount{"token", {}, "TOKEN", true}};
    fake.body = [](const FakeProcess& process) {
        process.print("the token is hush-");
        process.print("hush, and aHVzaC1odXNo\r\n");
        process.print_error("hush-hush");
        return 3;
    };
    auto error = failure(exec(operation));
    EXPECT_EQ(progress.output(1), "the token is ****, and ****\r\n");
    EXPECT_EQ(progress.output(2), "****");
    EXPECT_EQ(error.output_tail(), "the token is ****, and ****\r\n****");
    EXPECT_EQ(error.exit_status(), 3U);

    operation.arguments = {"reg"};
    fake.body = [](const FakeProcess&) { return 0; };
    fake.registry = {{hcs::RegistryChange::Kind::ValueSet, "HKLM\\Software\\X", "v", "\"hush-hush\""}};
    auto registry = failure(exec(operation));
    EXPECT_THAT(registry.what(), HasSubstr("\"****\""));
    EXPECT_THAT(registry.what(), Not(HasSubstr("hush")));
}

TEST_F(StepMountsTest, HostsAreAddedToThoseOfTheImageAndCountByName) {
    solver::ExecOperation operation;
    operation.extra_hosts = {{"db.example", "10.0.0.7"}};
    solve_while(exec(operation), [&] {
        const auto& mapping = mapped("C:\\Windows\\System32\\drivers\\etc\\hosts");
        EXPECT_EQ(host_file(mapping), "127.0.0.1 localhost\r\n10.0.0.7 db.example\r\n");
    });
    fake.body = [](const FakeProcess&) { return 0; };
    operation.extra_hosts[0].address = "10.0.0.8";
    EXPECT_EQ(runs_of([&] { return exec(operation); }), 0U);
    operation.extra_hosts[0].name = "other.example";
    EXPECT_EQ(runs_of([&] { return exec(operation); }), 1U);
}

}  // namespace
}  // namespace mullion::test
