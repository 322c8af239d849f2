#include <thread>

#include "base/error.hpp"
#include "tests/worker/worker_test.hpp"
#include "tree/security_descriptor.hpp"
#include "worker/exec_support.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

class ExecOpTest : public WorkerTest {
  protected:
    solver::Edge exec(solver::ExecOperation operation, std::vector<solver::Edge> more = {}) {
        if (operation.arguments.empty()) operation.arguments = {"cmd"};
        if (!operation.epoch_ticks) operation.epoch_ticks = kEpoch.ticks;
        std::vector<solver::Edge> inputs = {base_image()};
        inputs.insert(inputs.end(), more.begin(), more.end());
        return vertex(std::move(operation), std::move(inputs), "RUN");
    }
    // Solves in a fresh worker; how many processes ran.
    std::size_t runs_of(const std::function<solver::Edge()>& make) {
        restart();
        fake.processes.clear();
        solve(make());
        return fake.processes.size();
    }
};

TEST_F(ExecOpTest, WritesWhatTheProcessChanged) {
    fake.body = [](const FakeProcess& process) {
        process.write("hello.txt", "Goodbye!");
        return 0;
    };
    auto snapshot = solve(run(base_image(), {"cmd", "/S", "/C", "echo Goodbye!>hello.txt"}));
    EXPECT_EQ(read(snapshot, "hello.txt"), "Goodbye!");
    EXPECT_TRUE(snapshot->top()->written());
    EXPECT_EQ(fake.processes.at(0).parameters.CommandLine, "cmd /S /C echo Goodbye!>hello.txt");
    EXPECT_EQ(fake.open_scratches, 0U);
    EXPECT_EQ(fake.scratches.at(0).os_version, "10.0.20348.2700");
}

// Windows' own record of what a step changed in the registry.
TEST_F(ExecOpTest, HivesAreOfTheLayerAndAreImportedAgain) {
    fake.imports = true;
    fs::path hive = directory.path() / "SYSTEM_Delta";
    base::write_file_atomic(hive, "regf");
    fake.hives = {{.path = "SYSTEM_Delta", .content = hive, .size = 4}};
    auto snapshot = solve(run(run(base_image(), {"one"}), {"two"}));
    ASSERT_EQ(snapshot->top()->delta(tree::Os::Windows, cancel)->hives.size(), 1U);
    EXPECT_THAT(fake.imported.back().hives, ElementsAre("SYSTEM_Delta"));
    EXPECT_EQ(fake.imported.back().parents.size(), 1U);
}

TEST_F(ExecOpTest, LayersAndLimitsReachTheContainer) {
    options.limits.memory_mb = 512;
    options.limits.processors = 2;
    solve(run(base_image(), {"cmd"}));
    const auto& container = fake.processes.at(0).document.Container;
    ASSERT_EQ(container.Storage.Layers.size(), 1U);
    EXPECT_TRUE(fs::exists(fs::path(container.Storage.Layers[0].Path) / "Files/Windows/System32/cmd.exe"));
    EXPECT_EQ(container.Memory->SizeInMB, 512U);
    EXPECT_EQ(container.Processor->Count, 2U);
    EXPECT_TRUE(fake.processes.at(0).document.ShouldTerminateOnLastHandleClosed);
}

TEST_F(ExecOpTest, NetworkOnlyWhereTheStepWantsIt) {
    solve(run(base_image(), {"one"}));
    solver::ExecOperation none;
    none.arguments = {"two"};
    none.network = solver::NetworkMode::None;
    solve(exec(none));
    EXPECT_TRUE(fake.processes.at(0).document.Container.Networking);
    EXPECT_FALSE(fake.processes.at(1).document.Container.Networking);
}

TEST_F(ExecOpTest, NetworkOptionsReachTheContainerAndNoCacheKey) {
    options.network = {
        .mode = hcs::NetworkMode::Nat, .name = "corp", .dns = {"", {}, {"10.0.0.53"}}, .mtu = 1400};
    EXPECT_EQ(runs_of([&] { return run(base_image(), {"one"}); }), 1U);
    ASSERT_EQ(fake.networks.size(), 1U);
    EXPECT_EQ(fake.networks[0].mode, hcs::NetworkMode::Nat);
    EXPECT_EQ(fake.networks[0].name, "corp");
    EXPECT_EQ(fake.networks[0].mtu, 1400);
    options.network = {};
    EXPECT_EQ(runs_of([&] { return run(base_image(), {"one"}); }), 0U);
}

TEST_F(ExecOpTest, WhatAStepUsedIsReported) {
    fake.statistics = hcs::Statistics{0, {12'345, 0, 0}, {0, 1 << 20, 0}, {0, 4096, 0, 8192}};
    fake.body = [](const FakeProcess& process) { return process.parameters.CommandLine == "bad" ? 1 : 0; };
    solve(run(base_image(), {"good"}));
    failure(run(base_image(), {"bad"}));
    auto events = progress.all<base::UsageEvent>();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[0].usage,
              (base::ResourceUsage{std::chrono::nanoseconds(1'234'500), 1 << 20, 4096, 8192}));
    // Where that fails, or nobody counts, a step goes on without.
    fake.statistics.reset();
    solve(run(base_image(), {"another"}));
    fake.statistics.emplace();
    solve(run(base_image(), {"one more"}));
    EXPECT_EQ(progress.all<base::UsageEvent>().size(), 2U);
}

TEST_F(ExecOpTest, FailureTellsExitCodeAndOutput) {
    for (std::uint32_t code : {1U, 300U, 3221225477U}) {
        fake.body = [&](const FakeProcess& process) {
            process.print("working\r\n");
            process.print_error("it broke\r\n");
            return code;
        };
        base::Error error = failure(run(base_image(), {"tool", std::to_string(code)}));
        EXPECT_EQ(error.code(), base::ErrorCode::Process);
        EXPECT_EQ(error.exit_status(), code);
        EXPECT_EQ(error.output_tail(), "working\r\nit broke\r\n");
        EXPECT_THAT(error.what(),
                    HasSubstr(fmt::format(
                        "process \"tool {0}\" did not complete successfully: exit code: {0}", code)));
        EXPECT_EQ(fake.open_scratches, 0U);
    }
}

TEST_F(ExecOpTest, OutputBecomesLogEvents) {
    fake.body = [](const FakeProcess& process) {
        process.print("one");
        process.print_error("two");
        return 0;
    };
    solve(run(base_image(), {"cmd"}));
    EXPECT_EQ(progress.output(1), "one");
    EXPECT_EQ(progress.output(2), "two");
}

TEST_F(ExecOpTest, TailOfLongOutputIsWholeLines) {
    fake.body = [](const FakeProcess& process) {
        for (int i = 0; i < 5000; ++i) process.print("line " + std::to_string(i) + "\n");
        return 1;
    };
    std::string tail = failure(run(base_image(), {"cmd"})).output_tail();
    EXPECT_LE(tail.size(), 8192U);
    EXPECT_TRUE(tail.starts_with("line "));
    EXPECT_TRUE(tail.ends_with("line 4999\n"));
}

TEST_F(ExecOpTest, SecondRunIsCached) {
    auto make = [&] { return run(base_image(), {"cmd"}); };
    solve(make());
    EXPECT_EQ(runs_of(make), 0U);
    EXPECT_EQ(runs_of([&] { return run(base_image(), {"cmd", "other"}); }), 1U);
}

TEST_F(ExecOpTest, ProxiesAreNoPartOfTheKey) {
    auto make = [&](const std::string& proxy) {
        solver::ExecOperation operation;
        operation.proxy_environment = {{"HTTP_PROXY", proxy}};
        operation.environment = {"A=1"};
        return exec(operation);
    };
    solve(make("one"));
    EXPECT_EQ(fake.processes.at(0).parameters.Environment,
              (std::map<std::string, std::string>{{"A", "1"}, {"HTTP_PROXY", "one"}}));
    EXPECT_EQ(runs_of([&] { return make("two"); }), 0U);
}

TEST_F(ExecOpTest, StepWithTheSameResultStopsTheRebuild) {
    auto make = [&](const std::string& first) { return run(run(base_image(), {first}), {"second"}); };
    fake.body = [](const FakeProcess& process) {
        process.write("same.txt", "same");
        return 0;
    };
    solve(make("one"));
    EXPECT_EQ(runs_of([&] { return make("changed"); }), 1U);
}

TEST_F(ExecOpTest, SameStepsGiveTheSameLayer) {
    fake.body = [](const FakeProcess& process) {
        process.write("f.txt", "data");
        return 0;
    };
    auto first = solve(run(base_image(), {"cmd"}))->top()->written()->blob.digest;
    restart();
    fs::remove_all(path("state"));
    restart();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(solve(run(base_image(), {"cmd"}))->top()->written()->blob.digest, first);
}

TEST_F(ExecOpTest, ResultWhoseBlobIsGoneIsMadeAgain) {
    fake.body = [](const FakeProcess& process) {
        process.write("f.txt", "data");
        return 0;
    };
    auto make = [&] { return run(base_image(), {"cmd"}); };
    base::Digest blob = solve(make())->top()->written()->blob.digest;
    state->content().remove(blob);
    EXPECT_EQ(runs_of(make), 1U);
}

TEST_F(ExecOpTest, RegistryChangesFailTheStep) {
    fake.registry = {{hcs::RegistryChange::Kind::ValueSet, "HKLM\\Software\\X", "v", "dword:00000001"}};
    base::Error error = failure(run(base_image(), {"reg"}));
    EXPECT_EQ(error.code(), base::ErrorCode::Unsupported);
    EXPECT_THAT(error.what(), HasSubstr("HKLM\\Software\\X"));
    EXPECT_THAT(error.hint(), HasSubstr("--allow-registry-loss"));
}

TEST_F(ExecOpTest, LostRegistryChangesWarnAndAreNotReusedByOthers) {
    fake.registry = {{hcs::RegistryChange::Kind::KeyAdded, "HKLM\\Software\\X", "", ""}};
    options.allow_registry_loss = true;
    auto make = [&] { return run(base_image(), {"reg"}); };
    solve(make());
    ASSERT_EQ(progress.all<base::WarningEvent>().size(), 1U);
    EXPECT_EQ(runs_of(make), 0U);
    options.allow_registry_loss = false;
    restart();
    EXPECT_EQ(failure(make()).code(), base::ErrorCode::Unsupported);
}

// What the next three build on: a RUN that loses registry changes, in a build that agreed to it.
class RegistryLossTest : public ExecOpTest {
  protected:
    RegistryLossTest() {
        fake.registry = {{hcs::RegistryChange::Kind::KeyAdded, "HKLM\\Software\\X", "", ""}};
        options.allow_registry_loss = true;
        write("tool.txt", "1");
        copy_tool_.sources = {"tool.txt"};
        copy_tool_.destination = "tool.txt";
    }
    solver::Edge lossy() { return run(base_image(), {"reg"}); }
    // Solves and exports, as `build -t` does: all layers are written, and recorded with what lies below them.
    void build(const std::vector<solver::Edge>& layers) {
        worker().parts().writer.write_all(*solve(layers.back()), cancel);
        save_late(layers);
        restart();
    }
    void withdraw_consent() {
        options.allow_registry_loss = false;
        restart();
    }
    void expect_refused(const solver::Edge& edge) {
        EXPECT_EQ(failure(edge).code(), base::ErrorCode::Unsupported);
    }
    solver::CopyAction copy_tool_;
};

TEST_F(RegistryLossTest, ReachesNobodyElseThroughACopyOnTop) {
    solver::Edge below = lossy();
    solver::Edge top = copy(below, context(), copy_tool_);
    build({below, top});
    EXPECT_EQ(runs_of([&] { return copy(lossy(), context(), copy_tool_); }), 0U);
    withdraw_consent();
    expect_refused(copy(lossy(), context(), copy_tool_));
}

TEST_F(RegistryLossTest, ReachesNobodyElseThroughARunOnTop) {
    auto make = [&] {
        solver::Edge below = lossy();
        fake.body = [this](const FakeProcess& process) {
            if (process.parameters.CommandLine != "reg") fake.registry.clear();
            return 0;
        };
        return run(below, {"second"});
    };
    solve(make());
    ASSERT_EQ(fake.processes.size(), 2U);
    withdraw_consent();
    fake.registry = {{hcs::RegistryChange::Kind::KeyAdded, "HKLM\\Software\\X", "", ""}};
    expect_refused(make());
}

TEST_F(RegistryLossTest, ReachesNobodyElseThroughFilesTakenFromTheStep) {
    auto make = [&] {
        solver::CopyAction action;
        action.sources = {"Users/Public/readme.txt"};
        action.destination = "readme.txt";
        return copy(base_image(), lossy(), action);
    };
    build({make()});
    EXPECT_EQ(runs_of(make), 0U);
    withdraw_consent();
    expect_refused(make());
}

TEST_F(RegistryLossTest, IsRememberedWhenALoadedResultIsSavedAgain) {
    build({lossy()});
    build({lossy()});
    EXPECT_EQ(runs_of([&] { return lossy(); }), 0U);
    withdraw_consent();
    expect_refused(lossy());
}

TEST_F(ExecOpTest, TimeLimitEndsTheStep) {
    options.limits.time_limit = std::chrono::seconds(7);
    fake.body = [](const FakeProcess& process) -> std::optional<std::uint32_t> {
        EXPECT_TRUE(process.deadline);
        return std::nullopt;
    };
    base::Error error = failure(run(base_image(), {"hang"}));
    EXPECT_EQ(error.code(), base::ErrorCode::TimedOut);
    EXPECT_THAT(error.what(), HasSubstr("time limit of 7 s"));
    EXPECT_EQ(fake.open_scratches, 0U);
}

TEST_F(ExecOpTest, CancelEndsTheStep) {
    base::CancelSource source;
    cancel = source.token();
    fake.body = [&](const FakeProcess& process) -> std::optional<std::uint32_t> {
        source.cancel();
        process.cancel.wait_for(std::chrono::seconds(20));
        process.cancel.check();
        return 0;
    };
    EXPECT_EQ(failure(run(base_image(), {"hang"})).code(), base::ErrorCode::Canceled);
    EXPECT_EQ(fake.open_scratches, 0U);
}

TEST_F(ExecOpTest, WorkingDirectoryIsMadeAndBelongsToTheLayer) {
    solver::ExecOperation operation;
    operation.working_directory = "work/here";
    auto snapshot = solve(exec(operation));
    EXPECT_EQ(fake.processes.at(0).parameters.WorkingDirectory, "C:\\work\\here");
    EXPECT_NE(snapshot->tree(cancel).find("work/here"), nullptr);
    fs::path top = fake.scratches.at(0).parents.at(0);
    EXPECT_NE(top.parent_path(), state->directory() / "layers");
    EXPECT_FALSE(fs::exists(top)) << "it is needed for this container alone";
}

TEST_F(ExecOpTest, ScriptIsThereForTheProcessAndGoneAfterwards) {
    solver::ExecOperation operation;
    operation.arguments = {"cmd", "/S", "/C", "{file-0}"};
    operation.files = {{"{file-0}", "@echo off\r\necho hi\r\n", ".cmd"}};
    std::string seen;
    fake.body = [&](const FakeProcess& process) {
        std::string windows_path = process.parameters.CommandLine.substr(10);
        EXPECT_TRUE(windows_path.starts_with("C:\\Windows\\Temp\\mullion-")) << windows_path;
        EXPECT_TRUE(windows_path.ends_with(".cmd"));
        std::string relative = windows_path.substr(3);
        std::replace(relative.begin(), relative.end(), '\\', '/');
        seen = base::read_file(fs::path(fake.scratches.at(0).parents.at(0)) / "Files" / relative, 1000);
        return 0;
    };
    auto snapshot = solve(exec(operation));
    EXPECT_EQ(seen, operation.files[0].data);
    EXPECT_TRUE(snapshot->top()->delta(tree::Os::Windows, cancel)->empty());
}

TEST_F(ExecOpTest, SettingsOfTheStepCountBeforeThoseOfTheBuild) {
    options.limits = {512, 4, std::chrono::seconds(5)};
    solver::ExecOperation operation;
    operation.settings = {"process", 2048, 1, 90, 0};
    fake.body = [](const FakeProcess& process) -> std::optional<std::uint32_t> {
        auto left = *process.deadline - std::chrono::steady_clock::now();
        EXPECT_GT(left, std::chrono::seconds(60));
        return 0;
    };
    solve(exec(operation));
    const auto& container = fake.processes.at(0).document.Container;
    EXPECT_EQ(container.Memory->SizeInMB, 2048U);
    EXPECT_EQ(container.Processor->Count, 1U);
    operation.settings = {"", 1, 1, 1, 5};
    EXPECT_EQ(runs_of([&] { return exec(operation); }), 0U);  // no part of the key
}

TEST_F(ExecOpTest, IsolationIsTheStepsElseTheBuildsAndInNoKey) {
    options.host = oci::WindowsHost{{10, 0, 26100, 1}, true, true};
    options.isolation = oci::Isolation::HyperV;
    solver::ExecOperation operation;
    solve(exec(operation));
    EXPECT_EQ(fake.in_vms.size(), 1U);
    EXPECT_EQ(fake.attached, 0U);
    operation.settings.isolation = "process";
    EXPECT_EQ(runs_of([&] { return exec(operation); }), 0U);  // no part of the key
    operation.arguments = {"another"};
    EXPECT_EQ(runs_of([&] { return exec(operation); }), 1U);
    EXPECT_EQ(fake.in_vms.size(), 1U);
    EXPECT_EQ(fake.attached, 1U);
}

TEST_F(ExecOpTest, IsolationIsChosenAndExplainedBeforehand) {
    options.host = oci::WindowsHost{{10, 0, 26100, 1}, true, true};
    solver::ExecOperation operation, hyperv;
    hyperv.settings.isolation = "hyperv";
    hyperv.arguments = {"x"};
    EXPECT_THAT(worker::choose_isolation({exec(operation), exec(hyperv), exec(operation)}, options),
                testing::ElementsAre(
                    "windows(10.0.20348.2700)/amd64: hyperv isolation: as asked for",
                    "windows(10.0.20348.2700)/amd64: process isolation: the image's build 20348 runs on the "
                    "host's 26100"));
    options.host->version.build = 17763;
    EXPECT_THROW(worker::choose_isolation({exec(operation)}, options), base::Error);
    EXPECT_TRUE(fake.scratches.empty());
}

TEST_F(ExecOpTest, FilesBesideAMountPointBringTheirDirectory) {
    write("src/a.txt", "1");
    solver::ExecOperation operation;
    operation.mounts.push_back(solver::BindMount{1, "src", "work/in", false});
    fake.body = [&](const FakeProcess& process) {
        process.write("work/out.txt", "out");
        return 0;
    };
    auto snapshot = solve(exec(operation, {context()}));
    EXPECT_EQ(read(snapshot, "work/out.txt"), "out");
    EXPECT_EQ(snapshot->tree(cancel).find("work/in"), nullptr);
}

TEST_F(ExecOpTest, StepsAreTriedAgainAsOftenAsTheySay) {
    solver::ExecOperation operation;
    operation.settings.retries = 1;
    int runs = 0;
    fake.body = [&](const FakeProcess& process) {
        process.write("partial.txt", "x");
        return ++runs == 1 ? 7U : 0U;
    };
    auto snapshot = solve(exec(operation));
    EXPECT_EQ(runs, 2);
    EXPECT_EQ(read(snapshot, "partial.txt"), "x");
    auto warnings = progress.all<base::WarningEvent>();
    ASSERT_EQ(warnings.size(), 1U);
    EXPECT_THAT(warnings[0].message, HasSubstr("attempt 1 of 2 failed"));
    EXPECT_THAT(warnings[0].message, HasSubstr("exit code: 7"));

    runs = -10;
    operation.arguments = {"always"};
    fake.body = [&](const FakeProcess&) {
        ++runs;
        return 1;
    };
    EXPECT_EQ(failure(exec(operation)).code(), base::ErrorCode::Process);
    EXPECT_EQ(runs, -8);
    EXPECT_EQ(fake.open_scratches, 0U);
}

TEST_F(ExecOpTest, WhatAnotherTryCannotHelpIsNotTriedAgain) {
    solver::ExecOperation operation;
    operation.settings.retries = 5;
    fake.registry = {{hcs::RegistryChange::Kind::KeyAdded, "HKLM\\Software\\X", "", ""}};
    failure(exec(operation));
    EXPECT_EQ(fake.processes.size(), 1U);
}

TEST_F(ExecOpTest, WhatCannotBeDoneIsRefusedByName) {
    auto refused = [&](const std::function<void(solver::ExecOperation&)>& ask) {
        solver::ExecOperation operation;
        ask(operation);
        return failure(exec(operation));
    };
    auto host = refused([](auto& operation) { operation.network = solver::NetworkMode::Host; });
    EXPECT_STREQ(host.what(), "RUN: network.host is not allowed");
    auto insecure = refused([](auto& operation) { operation.insecure = true; });
    EXPECT_STREQ(insecure.what(), "RUN: security.insecure is not allowed");
    auto hyperv = refused([](auto& operation) { operation.settings.isolation = "hyperv"; });
    EXPECT_THAT(hyperv.what(), HasSubstr("isolation=hyperv"));
    auto ssh = refused([](auto& operation) { operation.mounts = {solver::SshMount{"default", "", true}}; });
    EXPECT_EQ(ssh.code(), base::ErrorCode::NotFound);
    EXPECT_TRUE(fake.processes.empty());
}

TEST_F(ExecOpTest, AnAgentThatIsNotRequiredIsLeftOut) {
    solver::ExecOperation operation;
    operation.mounts = {solver::SshMount{"default", "", false}};
    solve(exec(operation));
    ASSERT_EQ(fake.processes.size(), 1u);
    EXPECT_EQ(fake.processes[0].parameters.Environment.count("SSH_AUTH_SOCK"), 0u);
}

TEST_F(ExecOpTest, AgentsArePipesAndTheFirstIsNamedByTheEnvironment) {
    options.ssh_agents = {{"default", {"/run/agent"}}, {"git", {"/run/other"}}};
    solver::ExecOperation operation;
    operation.mounts = {solver::SshMount{"default", ""}, solver::SshMount{"git", ""},
                        solver::SshMount{"git", "git"}};
    solve(exec(operation));
    ASSERT_EQ(fake.processes.size(), 1u);
    const auto& pipes = fake.processes[0].document.Container.MappedPipes;
    std::vector<std::string> names;
    for (const hcs::MappedPipe& pipe : pipes) names.push_back(pipe.ContainerPipeName);
    ASSERT_THAT(names, testing::ElementsAre("openssh-ssh-agent", "openssh-ssh-agent.1", "git"));
    EXPECT_NE(pipes[0].HostPath, "/run/agent");  // AgentProxy
    EXPECT_NE(pipes[0].HostPath, pipes[1].HostPath);
    EXPECT_EQ(pipes[1].HostPath, pipes[2].HostPath);
    EXPECT_EQ(fake.processes[0].parameters.Environment.at("SSH_AUTH_SOCK"), "\\\\.\\pipe\\openssh-ssh-agent");
}

TEST_F(ExecOpTest, AnAddressThatTheImageSetsStays) {
    options.ssh_agents = {{"default", {"/run/agent"}}};
    solver::ExecOperation operation;
    operation.environment = {"ssh_auth_sock=mine"};
    operation.mounts = {solver::SshMount{"default", ""}};
    solve(exec(operation));
    EXPECT_EQ(fake.processes.at(0).parameters.Environment.at("ssh_auth_sock"), "mine");
}

TEST_F(ExecOpTest, NetworkOfTheHostIsThereIfAllowed) {
    options.allow_host_network = true;
    solver::ExecOperation operation;
    operation.network = solver::NetworkMode::Host;
    solve(exec(operation));
    EXPECT_EQ(fake.processes.at(0).document.Container.Networking->Namespace,
              "00000000-0000-0000-0000-000000000001");
}

TEST_F(ExecOpTest, UserOwnsWhatTheStepMakes) {
    fake.body = [](const FakeProcess& process) {
        process.write("mine.txt", "x");
        return 0;
    };
    solver::ExecOperation operation;
    operation.user = "ContainerUser";
    auto snapshot = solve(exec(operation));
    EXPECT_EQ(fake.processes.at(0).parameters.User, "ContainerUser");
    auto descriptor = snapshot->tree(cancel).find("mine.txt")->metadata.descriptor;
    EXPECT_EQ(tree::SecurityDescriptor::parse(*descriptor).owner, *tree::builtin_sid("ContainerUser"));
    operation.user = "somebody";
    EXPECT_THAT(failure(exec(operation)).what(), HasSubstr("\"somebody\""));
}

TEST_F(ExecOpTest, EnvironmentNamesDifferNotByCase) {
    solver::ExecOperation operation;
    operation.environment = {"Path=C:\\a", "PATH=C:\\b", "=C:=x", "NOVALUE"};
    solve(exec(operation));
    EXPECT_EQ(fake.processes.at(0).parameters.Environment,
              (std::map<std::string, std::string>{{"Path", "C:\\b"}}));
}

TEST_F(ExecOpTest, WithoutContainersTheReasonIsGiven) {
    worker::Worker none(*state, {nullptr, nullptr, "Wine is not installed"}, options);
    solver::Solver solver([&](const solver::VertexRef& wanted) { return none.resolve(wanted); }, nullptr,
                          progress);
    try {
        solver.solve({run(base_image(), {"cmd"})}, cancel);
        FAIL() << "no error";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Unsupported);
        EXPECT_THAT(error.what(), HasSubstr("Wine is not installed"));
    }
}

TEST_F(ExecOpTest, StepOnCopiedFilesSeesThem) {
    write("tool.txt", "1");
    solver::CopyAction action;
    action.sources = {"tool.txt"};
    action.destination = "tool.txt";
    fake.body = [&](const FakeProcess&) {
        EXPECT_TRUE(fs::exists(fake.scratches.at(0).parents.at(0) / "Files/tool.txt"));
        return 0;
    };
    auto snapshot = solve(run(copy(base_image(), context(), action), {"cmd"}));
    EXPECT_EQ(snapshot->layers().size(), 3U);
    for (const auto& layer : snapshot->layers()) EXPECT_TRUE(layer->written());
}

}  // namespace
}  // namespace mullion::test
