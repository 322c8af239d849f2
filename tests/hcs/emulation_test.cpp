// What only the emulation does.
#include "hcs/emulation.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "base/error.hpp"
#include "base/private_file.hpp"
#include "hcs/stub_tools.hpp"
#include "tests/hcs/emulated_backend.hpp"
#include "tests/support/as_nobody.hpp"
#include "tests/support/errors.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
namespace fs = std::filesystem;

INSTANTIATE_TEST_SUITE_P(Emulated, ComputeSystemSuite, testing::Values(emulated_backend()),
                         [](const auto& parameter) { return parameter.param.name; });
INSTANTIATE_TEST_SUITE_P(Emulated, LayerStorageSuite, testing::Values(emulated_backend()),
                         [](const auto& parameter) { return parameter.param.name; });

class EmulationTest : public HcsConformance {};
INSTANTIATE_TEST_SUITE_P(Emulated, EmulationTest, testing::Values(emulated_backend()),
                         [](const auto& parameter) { return parameter.param.name; });

// What boxes of this process left on the host.
std::vector<std::string> leftovers() {
    std::vector<std::string> found;
    std::string ours = "mullion-" + std::to_string(::getpid()) + "-";
    for (const auto& hierarchy : fs::directory_iterator("/sys/fs/cgroup")) {
        if (!hierarchy.is_directory()) continue;
        for (const auto& group : fs::directory_iterator(hierarchy.path())) {
            if (group.path().filename().string().starts_with(ours)) found.push_back(group.path().string());
        }
    }
    std::string mounts = base::read_file("/proc/self/mounts", 1 << 20);
    if (mounts.find(MULLION_TEST_STATE) != std::string::npos) found.push_back("a mount");
    return found;
}

TEST_P(EmulationTest, StubToolsAreGoneAndTheUserIsTold) {
    auto system = start_system();
    for (const hcs::StubTool& tool : hcs::stub_tools()) {
        std::string name(tool.file.substr(0, tool.file.size() - 4));
        std::string line = "cmd /S /C " + name + " x";
        base::StringSink out, err;
        auto process = system->create_process(command(line), {nullptr, &out, &err}, {});
        std::uint32_t code = process->wait(std::nullopt, {}).ExitCode;
        EXPECT_EQ(code, 1u) << name;
        EXPECT_TRUE(hcs::hint_for_command(line, code, out.data() + err.data())) << name;
    }
}

TEST_P(EmulationTest, TheImagesOwnProgramIsUsedWhereWineHasNone) {
    fs::path hostname = scratch("probe.exe");
    auto system = start_system();
    system.reset();
    // Any program will do: Wine's own hostname.exe, as the image's findstr.exe.
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(MULLION_TEST_STATE) / "wine")) {
        if (entry.path().filename() == "hostname.exe")
            fs::copy_file(entry.path(), hostname, fs::copy_options::skip_existing);
    }
    ASSERT_TRUE(fs::exists(hostname));
    // Without Wine's mark, so that it is a program of the image's.
    std::string bytes = base::read_file(hostname, 8 << 20);
    std::fill_n(bytes.begin() + 0x40, 16, '\0');
    write("Windows/System32/findstr.exe", bytes);
    CommandResult result = run("cmd /S /C findstr");
    EXPECT_EQ(result.exit_code, 0u) << result.err;
    EXPECT_THAT(lines(result.out), testing::ElementsAre("MULLION"));
}

TEST_P(EmulationTest, WinesProgramsWinOverTheImages) {
    write("Windows/System32/cmd.exe", "not a program");
    write("Windows/System32/KernelBase.dll", "not a library");
    write("Windows/System32/NTDLL.dll", "not a library");
    CommandResult result = run("cmd /S /C \"echo fine& dir /b C:\\windows\\system32\\k*base.dll\"");
    EXPECT_THAT(lines(result.out), testing::ElementsAre("fine", "KernelBase.dll")) << result.err;
    EXPECT_THAT(result.changes.files, IsEmpty());
}

TEST_P(EmulationTest, DirectoriesOfTheImageKeepTheirCasing) {
    write("Windows/SYSTEM32/drivers/etc/hosts", "127.0.0.1 x");
    fs::remove_all(base_layer() / "Files/Windows/System32");
    CommandResult result = run("cmd /S /C \"echo 1>C:\\windows\\system32\\new.txt\"");
    EXPECT_THAT(result.paths(hcs::RawChange::Kind::File), testing::ElementsAre("Windows/SYSTEM32/new.txt"));
    EXPECT_THAT(result.paths(hcs::RawChange::Kind::Directory), IsEmpty());
}

TEST_P(EmulationTest, DirectoriesOfWinesAreNewOnlyWithSomethingInThem) {
    CommandResult result =
        run("cmd /S /C \"echo 1>%TEMP%\\x.txt& del %TEMP%\\x.txt& echo 2>C:\\Users\\Public.txt\"");
    EXPECT_THAT(result.paths(hcs::RawChange::Kind::File), testing::ElementsAre("Users/Public.txt"));
    EXPECT_THAT(result.paths(hcs::RawChange::Kind::Directory), testing::ElementsAre("Users"));
}

// With a heap at random, one start in some thousands found Windows' shared page taken. wineserver, which
// opens files for programs, tells its own addresses.
TEST_P(EmulationTest, TheAddressesOfAProcessAreNotDrawnByLot) {
    std::set<std::string> begins;
    for (int start = 0; start < 3; ++start) {
        std::vector<std::string> maps = lines(run("cmd /S /C \"type \\\\?\\unix\\proc\\self\\maps\"").out);
        ASSERT_FALSE(maps.empty());
        begins.insert(maps.front());
    }
    EXPECT_EQ(begins.size(), 1u);
}

TEST_P(EmulationTest, WindowsCanBeMadeUnderATightLimit) {
    use_limits({.tasks = 100, .time_limit = 60s});
    CommandResult result = run("\\\\?\\unix\\mullion\\window.exe");
    EXPECT_EQ(result.exit_code, 42u);
    EXPECT_THAT(result.changes.files, IsEmpty());
    EXPECT_THAT(result.changes.registry, IsEmpty());
}

TEST_P(EmulationTest, NothingIsLeftAfterCancel) {
    {
        auto system = start_system();
        base::StringSink out, err;
        auto process = system->create_process(command("cmd /C \"for /L %i in (0,0,1) do rem\""),
                                              {nullptr, &out, &err}, {});
        EXPECT_THAT(process->wait(std::chrono::steady_clock::now() + 200ms, {}).Exited, false);
    }
    EXPECT_THAT(leftovers(), IsEmpty());
}

TEST_P(EmulationTest, ContainersDieWithTheirEngine) {
    fs::path marker = scratch("marker");
    fs::create_directory(marker);
    pid_t engine = ::fork();
    if (engine == 0) {
        HcsBackend own = GetParam().make({});
        hcs::ComputeSystemDocument mapped = document();
        mapped.Container.MappedDirectories = {{marker.string(), "C:\\marker", false}};
        auto system = own.compute->create("orphan", mapped, {});
        system->start({});
        base::StringSink out, err;
        auto process = system->create_process(
            command("cmd /C \"for /L %i in (0,0,1) do @echo x>>C:\\marker\\alive.txt\""),
            {nullptr, &out, &err}, {});
        process->wait(std::nullopt, {});
        ::_exit(0);
    }
    fs::path alive = marker / "alive.txt";
    for (int i = 0; i < 1000 && !fs::exists(alive); ++i) std::this_thread::sleep_for(20ms);
    ASSERT_TRUE(fs::exists(alive));
    ::kill(engine, SIGKILL);
    ::waitpid(engine, nullptr, 0);
    std::this_thread::sleep_for(1s);
    auto size = fs::file_size(alive);
    std::this_thread::sleep_for(500ms);
    EXPECT_EQ(fs::file_size(alive), size);
}

TEST_P(EmulationTest, NothingOfTheHostIsInSight) {
    CommandResult result =
        run("cmd /S /C \"type \\\\?\\unix\\etc\\passwd& type \\\\?\\unix\\etc\\shadow& dir /b "
            "\\\\?\\unix\\home\"");
    EXPECT_THAT(result.out, HasSubstr("ContainerAdministrator"));
    EXPECT_THAT(result.out, Not(HasSubstr("root")));
    EXPECT_THAT(result.out, Not(HasSubstr(":$")));
}

TEST_P(EmulationTest, DocumentsItCannotHonourAreRefused) {
    hcs::ComputeSystemDocument plain = document();
    auto refused = [&](auto change) {
        hcs::ComputeSystemDocument changed = plain;
        change(changed);
        return code_of([&] { backend_.compute->create("x", changed, {}); });
    };
    using Document = hcs::ComputeSystemDocument;
    EXPECT_EQ(refused([](Document& d) { d.ShouldTerminateOnLastHandleClosed = false; }),
              ErrorCode::Unsupported);
    EXPECT_EQ(refused([](Document& d) {
                  d.Container.Storage.QoS = hcs::StorageQoS{1, 1};
              }),
              ErrorCode::Unsupported);
    EXPECT_EQ(refused([](Document& d) { d.Container.MappedPipes = {{"a", "b"}}; }), ErrorCode::Invalid);
    EXPECT_EQ(refused([](Document& d) { d.Container.MappedPipes = {{"/a", "b\\c"}}; }), ErrorCode::Invalid);
    EXPECT_EQ(refused([](Document& d) {
                  d.Container.MappedPipes = {{"/a", "pipe"}, {"/b", "Pipe"}};
              }),
              ErrorCode::Invalid);
    EXPECT_EQ(refused([](Document& d) {
                  d.Container.AssignedDevices = {{"", "x", ""}};
              }),
              ErrorCode::Unsupported);
    EXPECT_EQ(refused([](Document& d) { d.Container.RegistryChanges = hcs::RegistryChanges{}; }),
              ErrorCode::Unsupported);
    EXPECT_EQ(refused([](Document& d) { d.Container.Networking = hcs::Networking{}; }),
              ErrorCode::Unsupported);
    EXPECT_EQ(refused([](Document& d) { d.Container.GuestOs = hcs::GuestOs{"a b"}; }), ErrorCode::Invalid);
    EXPECT_EQ(refused([](Document& d) {
                  d.Container.MappedDirectories = {{"relative", "C:\\x", false}};
              }),
              ErrorCode::Invalid);
    EXPECT_EQ(refused([](Document& d) {
                  d.Container.MappedDirectories = {{"/tmp", "C:\\", false}};
              }),
              ErrorCode::Unsupported);
    EXPECT_EQ(refused([](Document& d) {
                  d.Container.Storage.Layers.push_back({"a", "/nowhere"});
              }),
              ErrorCode::Invalid);
}

TEST_P(EmulationTest, DirectoriesInMemoryAreEmptyBoundedAndLeaveNothing) {
    write("big.txt", std::string(100'000, 'x'));
    hcs::ComputeSystemDocument with_memory = document();
    with_memory.Container.MappedDirectories = {backend_.compute->memory_directory("C:\\mem\\dir", 65536)};
    auto system = backend_.compute->create("memory", with_memory, {});
    system->start({});
    base::StringSink out, err;
    auto process = system->create_process(
        command("cmd /S /C \"dir /b C:\\mem\\dir& echo 1>C:\\mem\\dir\\small& copy C:\\big.txt "
                "C:\\mem\\dir >nul|| echo full\""),
        {nullptr, &out, &err}, {});
    process->wait(std::nullopt, {});
    process.reset();
    EXPECT_THAT(lines(out.data()), testing::Contains("full"));
    system->shut_down({});
    EXPECT_THAT(backend_.storage->export_layer(last_scratch_, {}).files, IsEmpty());
    EXPECT_EQ(code_of([&] {
                  hcs::ComputeSystemDocument bad = document();
                  bad.Container.MappedDirectories = {{"memory:lots", "C:\\x", false}};
                  backend_.compute->create("bad", bad, {});
              }),
              ErrorCode::Invalid);
}

TEST_P(EmulationTest, FilesThatOnlyWeCanNameAreMapped) {
    base::PrivateFile file("for your eyes only\r\n");
    base::PrivateFile hosts("127.0.0.1 localhost\r\n127.0.0.7 elsewhere.example\r\n");
    hcs::ComputeSystemDocument with_file = document();
    with_file.Container.MappedDirectories = {
        {file.path().string(), "C:\\run\\secrets\\one", true},
        {hosts.path().string(), "C:\\windows\\system32\\drivers\\etc\\hosts", true}};
    auto system = backend_.compute->create("files", with_file, {});
    system->start({});
    base::StringSink out, err;
    auto process = system->create_process(
        command("cmd /S /C \"type C:\\run\\secrets\\one& echo x>C:\\run\\secrets\\one& "
                "ping -n 1 elsewhere.example\""),
        {nullptr, &out, &err}, {});
    process->wait(std::nullopt, {});
    process.reset();
    EXPECT_THAT(out.data(), HasSubstr("for your eyes only"));
    EXPECT_THAT(out.data(), HasSubstr("[127.0.0.7]"));
    system->shut_down({});
    EXPECT_THAT(backend_.storage->export_layer(last_scratch_, {}).files, IsEmpty());
}

TEST_P(EmulationTest, MemoryLimitIsAnError) {
    write("hog.exe", base::read_file(fs::path(MULLION_TEST_PROGRAMS) / "hog.exe", 1 << 20));
    hcs::ComputeSystemDocument small = document();
    small.Container.Memory = hcs::Memory{256};
    auto system = backend_.compute->create("small", small, {});
    system->start({});
    base::StringSink out, err;
    auto process = system->create_process(command("C:\\hog.exe"), {nullptr, &out, &err}, {});
    EXPECT_EQ(code_of([&] { process->wait(std::nullopt, {}); }), ErrorCode::Exhausted);
}

TEST_P(EmulationTest, ThePeakOfMemoryIsCounted) {
    write("hog.exe", base::read_file(fs::path(MULLION_TEST_PROGRAMS) / "hog.exe", 1 << 20));
    auto system = start_system();
    base::StringSink out, err;
    auto process = system->create_process(command("C:\\hog.exe 128"), {nullptr, &out, &err}, {});
    EXPECT_EQ(process->wait(std::nullopt, {}).ExitCode, 0u);
    hcs::Statistics statistics = system->statistics();
    if (statistics.Memory.MemoryUsageCommitPeakBytes == 0) GTEST_SKIP() << "this kernel keeps no peak";
    EXPECT_GE(statistics.Memory.MemoryUsageCommitPeakBytes, 128u << 20);
    EXPECT_LT(statistics.Memory.MemoryUsageCommitBytes, statistics.Memory.MemoryUsageCommitPeakBytes);
}

// With a Wine layer of its own: layers must belong to whoever runs containers on them.
bool step_works_in(const fs::path& directory, const fs::path& mapped) {
    hcs::EmulationOptions options;
    options.state = directory / "state";
    options.allow_host_network = true;
    fs::create_directory(options.state);
    fs::create_directories(directory / "base/Files/Windows");
    base::write_file_atomic(directory / "base/Files/Gone.txt", "x");
    auto storage = hcs::make_emulated_layer_storage(options);
    auto compute = hcs::make_emulated_compute_service(options);
    storage->create_scratch(directory / "scratch", {{directory / "base"}, "10.0.20348.2700", {}});
    hcs::ComputeSystemDocument document;
    document.ShouldTerminateOnLastHandleClosed = true;
    document.Container.Storage.Path = storage->attach(directory / "scratch");
    document.Container.Storage.Layers = {{hcs::layer_id("base"), (directory / "base").string()}};
    document.Container.MappedDirectories = {{mapped.string(), "C:\\mapped", false}};
    document.Container.Networking = compute->networking({hcs::NetworkMode::Nat});
    auto system = compute->create("rootless", document, {});
    system->start({});
    base::StringSink out, err;
    hcs::ProcessParameters parameters;
    parameters.CommandLine =
        "cmd /S /C \"del C:\\gone.txt& echo x>C:\\new.txt& if exist C:\\mapped\\in.txt exit 700\"";
    parameters.CreateStdOutPipe = parameters.CreateStdErrPipe = true;
    auto process = system->create_process(parameters, {nullptr, &out, &err}, {});
    std::uint32_t code = process->wait(std::nullopt, {}).ExitCode;
    process.reset();
    system->shut_down({});
    hcs::LayerChanges changes = storage->export_layer(directory / "scratch", {});
    return code == 700 && out.data() + err.data() == "" && changes.registry.empty() &&
           changes.files.size() == 2 && changes.files[0].path == "Gone.txt" &&
           changes.files[0].kind == hcs::RawChange::Kind::Removal && changes.files[1].path == "new.txt";
}

bool nobody_may() {
    pid_t child = ::fork();
    if (child == 0) {
        bool changed = ::setgid(65534) == 0 && ::setuid(65534) == 0;
        ::_exit(changed && !hcs::emulation_problem() ? 0 : 1);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    return status == 0;
}

TEST_P(EmulationTest, OrdinaryUsersRunContainersToo) {
    if (::geteuid() != 0) GTEST_SKIP() << "all other tests show it";
    if (!nobody_may()) GTEST_SKIP() << "user namespaces are not for ordinary users here";
    // A mount whose options an ordinary user must keep.
    fs::path mapped = scratch("noexec");
    fs::create_directory(mapped);
    fs::permissions(directory_->path(), fs::perms(0755));
    expect_as_nobody(
        [&] {
            base::TempDir directory(fs::temp_directory_path(), "rootless");
            return step_works_in(directory.path(), mapped);
        },
        [&] {
            bool made = ::unshare(CLONE_NEWNS) == 0 &&
                        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                        ::mount("tmpfs", mapped.c_str(), "tmpfs", MS_NOEXEC | MS_NOSUID | MS_NODEV, "") == 0;
            if (!made) ::_exit(4);
            base::write_file_atomic(mapped / "in.txt", "x");
        });
}

// In place of a hive or a stream, as a container may leave them.
TEST_P(EmulationTest, WhatIsNoFileInTheScratchIsCorrupt) {
    run("cmd /C ver");
    auto exported = [&] { return code_of([&] { backend_.storage->export_layer(last_scratch_, {}); }); };
    fs::path stream = last_scratch_ / "upper/file:stream";
    ASSERT_EQ(::mkfifo(stream.c_str(), 0600), 0);
    EXPECT_EQ(exported(), ErrorCode::Corrupt);
    fs::remove(stream);
    fs::create_symlink("/etc/passwd", stream);
    EXPECT_EQ(exported(), ErrorCode::Corrupt);
    fs::remove(stream);
    fs::path hive = last_scratch_ / "prefix/user.reg";
    fs::rename(hive, last_scratch_ / "moved.reg");
    fs::create_symlink(last_scratch_ / "moved.reg", hive);
    EXPECT_EQ(exported(), ErrorCode::Corrupt);
    fs::remove(hive);
    ASSERT_EQ(::mkfifo(hive.c_str(), 0600), 0);
    EXPECT_EQ(exported(), ErrorCode::Corrupt);
}

TEST_P(EmulationTest, WinesFilesStayOutOfTheLayerWhateverTheirAttributes) {
    write("Windows/System32/KernelBase.dll", "the image's");
    CommandResult result =
        run("cmd /S /C \"attrib +r C:\\Windows\\System32\\kernelbase.dll& "
            "attrib +r C:\\Windows\\System32\\version.dll& echo x>C:\\Windows\\System32\\ver.txt\"");
    EXPECT_EQ(result.exit_code, 0u) << result.err;
    EXPECT_THAT(result.paths(hcs::RawChange::Kind::File), testing::ElementsAre("Windows/System32/ver.txt"));
}

TEST_P(EmulationTest, AnswersThatAreNotWholeAreRefused) {
    auto system = start_system();
    base::StringSink out, err;
    EXPECT_EQ(code_of([&] {
                  system->create_process(command("cmd /C whoami /all"), {nullptr, &out, &err}, {});
              }),
              ErrorCode::Unsupported);
}

}  // namespace
}  // namespace mullion::test
