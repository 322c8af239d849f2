#include "worker/run_container.hpp"

#include "base/error.hpp"
#include "tests/worker/worker_test.hpp"

namespace mullion::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using worker::container_command_line;
using worker::ContainerRequest;

TEST(ContainerCommandLineTest, ExecFormIsQuotedForWindows) {
    oci::RunConfig config;
    config.cmd = {"C:\\Program Files\\x.exe", "plain", "", "a b", "say \"hi\"", "end\\", "sp end\\"};
    EXPECT_EQ(container_command_line(config, {}, {}),
              R"("C:\Program Files\x.exe" plain "" "a b" "say \"hi\"" end\ "sp end\\")");
}

TEST(ContainerCommandLineTest, EscapedFirstWordIsTakenAsItIs) {
    oci::RunConfig config;
    config.args_escaped = true;
    config.cmd = {"cmd /S /C \"echo hi\""};
    EXPECT_EQ(container_command_line(config, {}, {}), "cmd /S /C \"echo hi\"");
    config.cmd = {"cmd", "/C", "type C:\\hello.txt"};
    EXPECT_EQ(container_command_line(config, {}, {}), "cmd /C \"type C:\\hello.txt\"");
}

TEST(ContainerCommandLineTest, ArgumentsReplaceTheCommandBehindTheEntrypoint) {
    oci::RunConfig config;
    config.entrypoint = {"tool.exe", "-x"};
    config.cmd = {"default"};
    EXPECT_EQ(container_command_line(config, {}, {}), "tool.exe -x default");
    EXPECT_EQ(container_command_line(config, {}, {"a b"}), "tool.exe -x \"a b\"");
}

TEST(ContainerCommandLineTest, NewEntrypointDropsTheCommand) {
    oci::RunConfig config;
    config.args_escaped = true;
    config.entrypoint = {"tool.exe"};
    config.cmd = {"default"};
    EXPECT_EQ(container_command_line(config, "my tool", {}), "\"my tool\"");
    EXPECT_EQ(container_command_line(config, "my tool", {"x"}), "\"my tool\" x");
    EXPECT_EQ(container_command_line(config, "", {"x"}), "x");
}

TEST(ContainerCommandLineTest, UsersArgumentsAreNeverEscapedAlready) {
    oci::RunConfig config;
    config.args_escaped = true;
    config.cmd = {"whatever"};
    EXPECT_EQ(container_command_line(config, {}, {"C:\\a b.exe", "x"}), "\"C:\\a b.exe\" x");
}

class RunContainerTest : public WorkerTest {
  protected:
    ContainerRequest request() {
        auto edge = base_image();
        auto document = solver::parse_operation(edge.vertex->operation());
        auto digest = base::Digest::parse(std::get<solver::ImageSource>(document.operation).manifest_digest);
        ContainerRequest made{.image = worker().parts().blobs.read_image("", digest, cancel),
                              .image_name = "base"};
        made.image.config.config.cmd = {"cmd"};
        made.standard_output = &output;
        made.standard_error = &errors;
        return made;
    }
    base::Error refusal(const ContainerRequest& asked) {
        try {
            worker::run_container(worker(), asked, cancel);
        } catch (const base::Error& error) {
            return error;
        }
        ADD_FAILURE() << "it ran";
        return base::fail(base::ErrorCode::Internal, "it ran");
    }
    base::StringSink output;
    base::StringSink errors;
};

TEST_F(RunContainerTest, ReturnsTheWholeExitCode) {
    fake.body = [](const FakeProcess& process) {
        process.print("out");
        process.print_error("err");
        return 3221225477U;
    };
    EXPECT_EQ(worker::run_container(worker(), request(), cancel).exit_code, 3221225477U);
    EXPECT_EQ(output.data(), "out");
    EXPECT_EQ(errors.data(), "err");
    EXPECT_EQ(fake.open_scratches, 0U);
}

TEST_F(RunContainerTest, TellsWhatWasUsed) {
    EXPECT_FALSE(worker::run_container(worker(), request(), cancel).usage);
    fake.statistics.reset();
    EXPECT_FALSE(worker::run_container(worker(), request(), cancel).usage);
    fake.statistics = hcs::Statistics{0, {10, 0, 0}, {}, {}};
    EXPECT_EQ(worker::run_container(worker(), request(), cancel).usage,
              base::ResourceUsage{std::chrono::microseconds(1)});
}

TEST_F(RunContainerTest, TheNetworkIsAsAsked) {
    ContainerRequest asked = request();
    asked.network = {.mode = hcs::NetworkMode::Nat, .ports = {{6, 80, 8080, ""}}};
    worker::run_container(worker(), asked, cancel);
    ASSERT_EQ(fake.networks.size(), 1U);
    EXPECT_EQ(fake.networks[0].ports, asked.network.ports);
    worker::run_container(worker(), request(), cancel);
    EXPECT_EQ(fake.networks.size(), 1U);
}

TEST_F(RunContainerTest, ImageConfigIsOverriddenByTheRequest) {
    ContainerRequest asked = request();
    auto& config = asked.image.config.config;
    config.env = {"A=image", "B=image"};
    config.user = "ContainerUser";
    config.working_dir = "\\data";
    config.volumes = {"C:\\vol"};
    worker::run_container(worker(), asked, cancel);
    const auto& first = fake.processes.at(0).parameters;
    EXPECT_EQ(first.User, "ContainerUser");
    EXPECT_EQ(first.WorkingDirectory, "C:\\data");
    fs::path top = fake.scratches.at(0).parents.at(0);

    asked.environment = {"a=request"};
    asked.user = "ContainerAdministrator";
    asked.working_directory = "C:/Windows";
    asked.host_name = "host";
    asked.limits.memory_mb = 100;
    worker::run_container(worker(), asked, cancel);
    const auto& second = fake.processes.at(1);
    EXPECT_EQ(second.parameters.Environment,
              (std::map<std::string, std::string>{{"A", "request"}, {"B", "image"}}));
    EXPECT_EQ(second.parameters.User, "ContainerAdministrator");
    EXPECT_EQ(second.parameters.WorkingDirectory, "C:\\Windows");
    EXPECT_EQ(second.document.Container.GuestOs->HostName, "host");
    EXPECT_EQ(second.document.Container.Memory->SizeInMB, 100U);
}

TEST_F(RunContainerTest, VolumesAreMapped) {
    fs::create_directory(path("volume"));
    ContainerRequest asked = request();
    asked.volumes = {{path("volume").string(), "C:\\data", true}};
    bool mount_point = false;
    fake.body = [&](const FakeProcess&) {
        mount_point = fs::is_directory(fake.scratches.at(0).parents.at(0) / "Files/data");
        return 0;
    };
    worker::run_container(worker(), asked, cancel);
    const auto& mapped = fake.processes.at(0).document.Container.MappedDirectories.at(0);
    EXPECT_EQ(mapped.HostPath, path("volume").string());
    EXPECT_EQ(mapped.ContainerPath, "C:\\data");
    EXPECT_TRUE(mapped.ReadOnly);
    EXPECT_TRUE(mount_point);
}

TEST_F(RunContainerTest, WhatCannotBeDoneIsRefused) {
    ContainerRequest asked = request();
    asked.isolation = oci::Isolation::HyperV;
    EXPECT_EQ(refusal(asked).code(), base::ErrorCode::Unsupported);
    asked.isolation = oci::Isolation::Process;
    EXPECT_EQ(worker::run_container(worker(), asked, cancel).exit_code, 0U);
    asked = request();
    asked.image.config.config.cmd.reset();
    EXPECT_THAT(refusal(asked).what(), HasSubstr("neither ENTRYPOINT nor CMD"));
    asked = request();
    asked.volumes = {{path("nowhere").string(), "C:\\x", false}};
    EXPECT_EQ(refusal(asked).code(), base::ErrorCode::NotFound);
    base::write_file_atomic(path("file"), "x");
    asked.volumes = {{path("file").string(), "C:\\x", false}};
    EXPECT_EQ(refusal(asked).code(), base::ErrorCode::Unsupported);
    asked = request();
    asked.image.config.platform.os = "linux";
    EXPECT_EQ(refusal(asked).code(), base::ErrorCode::Unsupported);
}

// The base image is of build 20348 here and below.
TEST_F(RunContainerTest, VersionsThatMatchAreProcessIsolated) {
    options.host = oci::WindowsHost{{10, 0, 26100, 1}, true, true};
    EXPECT_EQ(worker::run_container(worker(), request(), cancel).exit_code, 0U);
    EXPECT_TRUE(fake.in_vms.empty());
    EXPECT_EQ(fake.attached, 1U);
}

TEST_F(RunContainerTest, AVmGetsTheScratchUnattached) {
    options.host = oci::WindowsHost{{10, 0, 22621, 1}, false, true};
    EXPECT_EQ(worker::run_container(worker(), request(), cancel).exit_code, 0U);
    ASSERT_EQ(fake.in_vms.size(), 1U);
    EXPECT_EQ(fake.in_vms[0].Container.Storage.Path, "");
    EXPECT_EQ(fake.attached, 0U);
    EXPECT_EQ(fake.open_scratches, 0U);
}

TEST_F(RunContainerTest, WhatNoIsolationRunsIsRefusedBeforeAnythingIsMade) {
    options.host = oci::WindowsHost{{10, 0, 17763, 1}, true, true};
    base::Error error = refusal(request());
    EXPECT_THAT(error.what(), HasSubstr("does not match the host operating system"));
    EXPECT_THAT(error.hint(), HasSubstr("ltsc2019"));
    EXPECT_TRUE(fake.scratches.empty());
}

TEST_F(RunContainerTest, AMismatchThatHcsFindsIsExplained) {
    options.host = oci::WindowsHost{{10, 0, 20348, 1}, true, true};
    fake.refusal = hcs::hcs_failure(hcs::Hresult(0xC0370101), "cannot create compute system x");
    base::Error error = refusal(request());
    EXPECT_EQ(error.code(), base::ErrorCode::Unsupported);
    EXPECT_THAT(error.what(),
                testing::AllOf(HasSubstr("image is Windows 10.0.20348.2700"),
                               HasSubstr("host Windows 10.0.20348.1"), HasSubstr("HCS_E_IMAGE_MISMATCH")));
    EXPECT_THAT(error.hint(), testing::AllOf(HasSubstr("--isolation=hyperv"), HasSubstr("ltsc2022")));
    EXPECT_EQ(fake.open_scratches, 0U);
}

TEST_F(RunContainerTest, TimeLimitIsOfTheContainer) {
    ContainerRequest asked = request();
    asked.limits.time_limit = std::chrono::seconds(3);
    fake.body = [](const FakeProcess&) -> std::optional<std::uint32_t> { return std::nullopt; };
    EXPECT_EQ(refusal(asked).code(), base::ErrorCode::TimedOut);
    EXPECT_EQ(fake.open_scratches, 0U);
}

}  // namespace
}  // namespace mullion::test
