#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "base/handle.hpp"
#include "tests/support/container_test.hpp"

namespace mullion {
namespace {

using testing::HasSubstr;
using testing::Not;

class RunCommand : public test::ContainerTest {
  protected:
    void SetUp() override {
        ContainerTest::SetUp();
        auto built = build(
            "FROM base\nENV FROM_IMAGE=image\nWORKDIR C:\\work\nENTRYPOINT [\"cmd\", \"/S\", \"/C\"]\nCMD "
            "[\"echo default\"]\n",
            {"-t", "app"});
        ASSERT_EQ(built.exit_code, 0) << built.err;
    }
};

TEST_F(RunCommand, RunsTheDefaultCommand) {
    auto ran = workspace.run({"run", "--rm", "app"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out, "default\r\n");
}

TEST_F(RunCommand, TheStateDirectoryMayBeRelative) {
    std::string state = workspace.state().lexically_relative(workspace.path()).string();
    auto ran = workspace.run({"--state", state, "run", "--rm", "app"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out, "default\r\n");
}

TEST_F(RunCommand, ArgumentsReplaceCmdAndOptionsAfterTheImageAreTheirs) {
    auto ran = workspace.run({"run", "--rm", "app", "echo", "-e", "--rm"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out, "-e --rm\r\n");
}

TEST_F(RunCommand, EnvironmentWorkingDirectoryAndUser) {
    auto ran = workspace.run({"run", "--rm", "-e", "X=a b", "-w", "C:\\Windows", "-u", "ContainerUser", "app",
                              "echo [%FROM_IMAGE%][%X%][%CD%][%USERNAME%]"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("[image][a b][C:\\Windows][ContainerUser]"));
}

// As docker does it: for run and build, below what the user says, and never in the image.
TEST_F(RunCommand, ProxiesOfDockersConfigurationAreForContainers) {
    workspace.write("docker/config.json",
                    R"({"proxies":{"default":{"httpProxy":"http://proxy.example","noProxy":"localhost"}}})");
    workspace.set_environment("DOCKER_CONFIG", workspace.path("docker").string());
    auto ran =
        workspace.run({"run", "--rm", "-e", "no_proxy=mine", "app", "echo [%HTTP_PROXY%][%NO_PROXY%]"});
    EXPECT_EQ(ran.out, "[http://proxy.example][mine]\r\n") << ran.err;
    auto built = build("FROM base\nRUN echo [%HTTP_PROXY%][%NO_PROXY%]\n",
                       {"-t", "built", "--build-arg", "NO_PROXY=mine"});
    EXPECT_THAT(built.err, HasSubstr("[http://proxy.example][mine]"));
    EXPECT_THAT(workspace.run({"inspect", "built"}).out, Not(HasSubstr("proxy.example")));
    auto copied = build("FROM base\nLABEL a=b\n", {"-t", "copied"});
    EXPECT_EQ(copied.exit_code, 0) << copied.err;
    EXPECT_THAT(copied.err, Not(HasSubstr("PROXY")));
    workspace.write("docker/config.json", "{");
    auto warned = workspace.run({"run", "--rm", "app"});
    EXPECT_EQ(warned.exit_code, 0);
    EXPECT_THAT(warned.err, HasSubstr("containers get no proxies"));
}

TEST_F(RunCommand, EntrypointIsReplaced) {
    auto ran = workspace.run({"run", "--rm", "--entrypoint", "hostname", "app"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_FALSE(ran.out.empty());
}

TEST_F(RunCommand, ExitCodeIsThatOfTheProcess) {
    EXPECT_EQ(workspace.run({"run", "--rm", "app", "exit", "7"}).exit_code, 7);
    // A Unix exit status has 8 bits: a larger code becomes 255 and is spelled out.
    auto ran = workspace.run({"run", "--rm", "app", "exit", "-1073741819"});
    EXPECT_EQ(ran.exit_code, 255);
    EXPECT_THAT(ran.err, HasSubstr("3221225477"));
    EXPECT_EQ(workspace.run({"run", "--rm", "app", "exit", "256"}).exit_code, 255);
}

TEST_F(RunCommand, VolumesAreReadAndWrittenOrProtected) {
    workspace.write("data/in.txt", "from the host\r\n");
    std::string data = workspace.path("data").string();
    auto ran = workspace.run(
        {"run", "--rm", "-v", data + ":C:\\data", "app", "type C:\\data\\in.txt> C:\\data\\out.txt"});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(workspace.read("data/out.txt"), "from the host\r\n");
    auto refused =
        workspace.run({"run", "--rm", "-v", data + ":C:\\data:ro", "app", "echo x> C:\\data\\out2.txt"});
    EXPECT_THAT(refused.out + refused.err, testing::Not(testing::IsEmpty()));
    EXPECT_FALSE(std::filesystem::exists(workspace.path("data/out2.txt")));
}

TEST_F(RunCommand, StandardInputIsPassedOn) {
    auto ran = workspace.tool(
        {"sh", "-c", "printf 'b\\r\\na\\r\\n' | \"$0\" run --rm -i app more", MULLION_BINARY_PATH});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("b\r\na\r\n"));
}

TEST_F(RunCommand, EndsWithItsProcessThoughStandardInputStaysOpen) {
    auto ran = workspace.tool(
        {"sh", "-c", "mkfifo input; exec 9<>input; timeout 60 \"$0\" run --rm -i app echo done <input",
         MULLION_BINARY_PATH});
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_EQ(ran.out, "done\r\n");
    auto limited = workspace.tool({"sh", "-c",
                                   "exec 9<>input; timeout 60 \"$0\" run --rm -i --timeout 2s app \"for /L "
                                   "%i in (0,0,1) do @rem\" <input",
                                   MULLION_BINARY_PATH});
    EXPECT_EQ(limited.exit_code, 125);
    EXPECT_THAT(limited.err, HasSubstr("time limit"));
}

TEST_F(RunCommand, OutputAndErrorsStayApart) {
    auto ran = workspace.run({"run", "--rm", "app", "echo out& echo err>&2"});
    EXPECT_EQ(ran.out, "out\r\n");
    EXPECT_EQ(ran.err, "err\r\n");
}

// A port that is free now.
std::uint16_t free_port() {
    base::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in own{};
    own.sin_family = AF_INET;
    socklen_t size = sizeof own;
    ::bind(socket.get(), reinterpret_cast<sockaddr*>(&own), size);
    ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&own), &size);
    return ntohs(own.sin_port);
}

// What a server on loopback says, once it is there.
std::string greeting_of(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    std::string text;
    for (auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(2);
         text.empty() && std::chrono::steady_clock::now() < give_up;) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        base::UniqueFd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) continue;
        char data[64];
        ssize_t got;
        while ((got = ::read(socket.get(), data, sizeof data)) > 0)
            text.append(data, static_cast<std::size_t>(got));
    }
    return text;
}

TEST_F(RunCommand, PublishedPortsLeadToTheContainer) {
    workspace.write("data/listen.exe", base::read_file(MULLION_LISTEN_PROGRAM, 1 << 20));
    std::string port = std::to_string(free_port());
    base::ProcessOutput ran;
    std::thread container([&] {
        ran = workspace.run({"run", "--rm", "--timeout", "2m", "-p", port + ":" + port, "-v",
                             workspace.path("data").string() + ":C:\\data:ro", "--entrypoint",
                             "C:\\data\\listen.exe", "app", port});
    });
    std::string greeting = greeting_of(static_cast<std::uint16_t>(std::stoi(port)));
    container.join();
    EXPECT_EQ(greeting, "hello from the container\n");
    EXPECT_EQ(ran.exit_code, 0) << ran.err;
    EXPECT_THAT(ran.out, HasSubstr("listening"));
}

TEST_F(RunCommand, NetworksThatTheEmulationHasNotAreRefused) {
    workspace.write(
        "10-nat.conf",
        R"({"cniVersion":"1.0.0","name":"corp","type":"nat","capabilities":{"portMappings":true}})");
    std::string config = workspace.path("10-nat.conf").string();
    auto refused = [&](std::vector<std::string> options, const char* word, int code = 125) {
        std::vector<std::string> args = {"run", "--rm"};
        args.insert(args.end(), options.begin(), options.end());
        args.insert(args.end(), {"app", "echo never"});
        auto ran = workspace.run(args);
        EXPECT_EQ(ran.exit_code, code) << ran.err;
        EXPECT_EQ(ran.out, "");
        EXPECT_THAT(ran.err, HasSubstr(word));
    };
    refused({"-p", "18080:18000"}, "port 18080:18000/tcp: the emulation cannot give a port another number");
    refused({"-p", "127.0.0.1:18080:18080"}, "confine a port to 127.0.0.1");
    refused({"--network", "corp"}, "the emulation has no network corp");
    refused({"--cni-config", config}, "takes no CNI configuration (network corp)");
    refused({"--mtu", "1400"}, "cannot set an MTU");
    refused({"--cni-config", config, "--dns", "10.0.0.1"}, "capable of dns", 2);
    refused({"--cni-config", config, "--network", "other"}, "name two networks", 2);
    refused({"--network", "none", "-p", "80:80"}, "--publish and --network none", 2);
    refused({"-p", "80"}, "--publish 80 is not supported", 2);
    refused({"--mtu", "100"}, "--mtu", 2);
    // A build that runs nothing is told, too.
    auto built = build("FROM base\n", {"--cni-config", config});
    EXPECT_EQ(built.exit_code, 1);
    EXPECT_THAT(built.err, HasSubstr("takes no CNI configuration (network corp)"));
}

TEST_F(RunCommand, StatsArePrintedAtTheEnd) {
    auto ran = workspace.run({"run", "--rm", "--stats", "app", "exit", "3"});
    EXPECT_EQ(ran.exit_code, 3);
    EXPECT_THAT(ran.err, testing::StartsWith("mullion: used "));
    if (::geteuid() == 0) {
        EXPECT_THAT(ran.err, HasSubstr("s of processor time"));
    }
}

TEST_F(RunCommand, ProcessIsolationIsWhatThereIs) {
    for (const char* isolation : {"auto", "default", "process"}) {
        auto ran = workspace.run({"run", "--rm", "--isolation", isolation, "app"});
        EXPECT_EQ(ran.exit_code, 0) << ran.err;
        EXPECT_EQ(ran.err, "");  // there was no choice
    }
}

TEST_F(RunCommand, BuildsRefuseWhatTheirHostCannotDo) {
    auto flag = build("FROM base\n", {"--isolation=hyperv"});
    EXPECT_NE(flag.exit_code, 0);
    EXPECT_THAT(flag.err, HasSubstr("Hyper-V isolation needs a Windows host"));
    auto step = build("FROM base\n# mullion: isolation=hyperv\nRUN echo x\n");
    EXPECT_EQ(step.exit_code, 1);
    EXPECT_THAT(step.err, testing::AllOf(HasSubstr("Dockerfile:3"), HasSubstr("needs a Windows host")));
    auto built = build("FROM base\nRUN echo isolated\n", {"--isolation=process"});
    EXPECT_EQ(built.exit_code, 0) << built.err;
}

TEST_F(RunCommand, WhatCannotBeDoneIsRefused) {
    auto hyperv = workspace.run({"run", "--rm", "--isolation", "hyperv", "app"});
    EXPECT_EQ(hyperv.exit_code, 125);
    EXPECT_THAT(hyperv.err, HasSubstr("Hyper-V isolation needs a Windows host"));
    EXPECT_EQ(workspace.run({"run", "--rm", "--isolation", "vm", "app"}).exit_code, 2);
    auto missing = workspace.run({"run", "--rm", "no-such-image"});
    EXPECT_EQ(missing.exit_code, 125);
    EXPECT_THAT(missing.err, HasSubstr("no-such-image"));
}

}  // namespace
}  // namespace mullion
