#include "worker/ssh_agents.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "base/error.hpp"
#include "base/file.hpp"
#include "base/process.hpp"
#include "worker/key_agent.hpp"

namespace mullion::worker {
namespace {

using base::ErrorCode;
using testing::HasSubstr;
namespace fs = std::filesystem;

base::ProcessOutput tool(std::vector<std::string> argv, std::map<std::string, std::string> environment = {}) {
    base::ProcessOptions options;
    options.argv = std::move(argv);
    environment.emplace("PATH", std::getenv("PATH"));
    options.environment = std::move(environment);
    return base::run_and_capture(std::move(options), {});
}

class SshAgentsTest : public testing::Test {
  protected:
    fs::path key(const std::string& name, const std::string& passphrase = "") const {
        fs::path file = directory_.path() / name;
        EXPECT_EQ(
            tool({"ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-C", name, "-f", file}).exit_code,
            0);
        return file;
    }
    SshAgents agents(std::map<std::string, SshAgentSource> offered) const {
        return {std::move(offered), directory_.path() / "sockets"};
    }
    // The comments of the keys that the agent has.
    static std::string identities(const std::string& socket) {
        return tool({"ssh-add", "-L"}, {{"SSH_AUTH_SOCK", socket}}).out;
    }
    base::Error refusal(const fs::path& file) const {
        SshAgents offered = agents({{"default", {"", {file}}}});
        try {
            offered.address("default", {});
        } catch (const base::Error& error) {
            EXPECT_TRUE(base::list_directory(directory_.path() / "sockets").empty());
            return error;
        }
        return base::fail(ErrorCode::Internal, "no error");
    }

  private:
    base::TempDir directory_{fs::temp_directory_path(), "agents"};
};

TEST_F(SshAgentsTest, AnAgentOfTheHostIsWhereItIs) {
    SshAgents offered = agents({{"default", {"/run/agent"}}});
    EXPECT_EQ(offered.address("default", {}), "/run/agent");
    EXPECT_EQ(offered.address("other", {}), std::nullopt);
}

TEST_F(SshAgentsTest, KeysAreHeldByOneAgentAsLongAsTheBuildLasts) {
    std::string socket;
    {
        SshAgents offered = agents({{"default", {"", {key("first"), key("second")}}}});
        socket = offered.address("default", {}).value();
        EXPECT_EQ(offered.address("default", {}), socket);
        EXPECT_THAT(identities(socket), testing::AllOf(HasSubstr(" first\n"), HasSubstr(" second\n")));
        EXPECT_EQ(fs::status(fs::path(socket).parent_path()).permissions(), fs::perms::owner_all);
    }
    EXPECT_EQ(identities(socket), "");
    EXPECT_FALSE(fs::exists(fs::path(socket).parent_path()));
}

TEST_F(SshAgentsTest, AnAgentEndsWithUsHoweverWeEnd) {
    fs::path file = key("some");
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    pid_t child = ::fork();
    if (child == 0) {
        SshAgents offered = agents({{"default", {"", {file}}}});
        base::write_all(ends[1], offered.address("default", {}).value(), "pipe");
        ::pause();
    }
    char buffer[256];
    std::string socket(buffer, static_cast<std::size_t>(::read(ends[0], buffer, sizeof buffer)));
    EXPECT_THAT(identities(socket), HasSubstr(" some\n"));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    for (int i = 0; i < 200 && !identities(socket).empty(); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    EXPECT_EQ(identities(socket), "");
    for (int end : ends) ::close(end);
}

TEST_F(SshAgentsTest, AKeyThatSshAddDoesNotTakeFailsWithItsWords) {
    fs::path open = key("open");
    fs::permissions(open, fs::perms(0644));
    EXPECT_EQ(refusal(open).code(), ErrorCode::Invalid);
    EXPECT_THAT(refusal(open).what(), HasSubstr("Permissions 0644"));
    fs::path junk = key("x").parent_path() / "junk";
    base::write_file_atomic(junk, "no key", true);
    EXPECT_THAT(refusal(junk).what(), HasSubstr("Error loading key"));
}

TEST_F(SshAgentsTest, NobodyIsAskedForAPassphrase) {
    base::Error error = refusal(key("locked", "passphrase"));
    EXPECT_EQ(error.code(), ErrorCode::Invalid);
    EXPECT_THAT(error.what(), HasSubstr("it has a passphrase"));
    EXPECT_THAT(error.hint(), HasSubstr("ssh-agent"));
}

TEST_F(SshAgentsTest, MissingProgramsAreNamedWithTheirPackage) {
    fs::path file = key("some");
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", "/nowhere", 1);
    base::Error error = refusal(file);
    ::setenv("PATH", path.c_str(), 1);
    EXPECT_EQ(error.code(), ErrorCode::NotFound);
    EXPECT_THAT(error.what(), HasSubstr("ssh-agent"));
    EXPECT_THAT(error.hint(), HasSubstr("openssh-client"));
}

TEST_F(SshAgentsTest, AnAgentThatDoesNotStartSaysWhy) {
    fs::path file = key("some");
    fs::path program = file.parent_path() / "bin" / "ssh-agent";
    fs::create_directory(program.parent_path());
    base::write_file_atomic(program, "#!/bin/sh\necho no entropy >&2\nexit 1\n");
    fs::permissions(program, fs::perms(0755));
    const std::string path = std::getenv("PATH");
    ::setenv("PATH", (program.parent_path().string() + ":" + path).c_str(), 1);
    base::Error error = refusal(file);
    ::setenv("PATH", path.c_str(), 1);
    EXPECT_EQ(error.code(), ErrorCode::Process);
    EXPECT_THAT(error.what(), HasSubstr("no entropy"));
}

TEST_F(SshAgentsTest, AStateDirectoryWithALongPathIsNoHindrance) {
    fs::path directory = key("some").parent_path() / std::string(120, 'x');
    SshAgents offered({{"default", {"", {key("other")}}}}, directory);
    EXPECT_THAT(identities(offered.address("default", {}).value()), HasSubstr(" other\n"));
    EXPECT_THAT(identities(offered.step_address("default", {}).value()), HasSubstr(" other\n"));
    EXPECT_TRUE(fs::is_empty(directory));
}

TEST_F(SshAgentsTest, StepsListKeysAndSignAndCanDoNothingElse) {
    fs::path held = key("held");
    KeyAgent users({held}, held.parent_path(), {});
    SshAgents offered = agents({{"default", {users.address()}}});
    EXPECT_EQ(offered.step_address("other", {}), std::nullopt);
    std::string socket = offered.step_address("default", {}).value();
    EXPECT_EQ(offered.step_address("default", {}), socket);
    EXPECT_NE(socket, users.address());
    std::map<std::string, std::string> step = {{"SSH_AUTH_SOCK", socket}};
    for (const std::vector<std::string>& refused :
         {std::vector<std::string>{"ssh-add", "-D"}, {"ssh-add", "-d", held}, {"ssh-add", key("another")}})
        EXPECT_NE(tool(refused, step).exit_code, 0);
    EXPECT_EQ(identities(socket), identities(users.address()));
    EXPECT_THAT(identities(socket), HasSubstr(" held\n"));
    // Without the private key's file only the agent can sign.
    fs::remove(held);
    fs::path data = held.parent_path() / "data";
    base::write_file_atomic(data, "data");
    auto signing = tool({"ssh-keygen", "-Y", "sign", "-f", held.string() + ".pub", "-n", "file", data}, step);
    EXPECT_EQ(signing.exit_code, 0) << signing.err;
    EXPECT_TRUE(fs::exists(data.string() + ".sig"));
}

}  // namespace
}  // namespace mullion::worker
