#include "cli/ssh_option.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/error.hpp"
#include "base/file.hpp"
#include "cli/build_request.hpp"
#include "cli/run_options.hpp"
#include "tests/support/unix_server.hpp"

namespace mullion::cli {
namespace {

using testing::HasSubstr;

class SshOption : public testing::Test {
  protected:
    std::string path(const char* name) const { return (directory_.path() / name).string(); }
    static base::Error failure(const std::string& option) {
        try {
            read_ssh_option(option);
        } catch (const base::Error& error) {
            return error;
        }
        return base::fail(base::ErrorCode::Internal, "no error");
    }

  private:
    base::TempDir directory_{std::filesystem::temp_directory_path(), "ssh-option"};
};

TEST_F(SshOption, NamesASocket) {
    test::UnixServer agent(path("agent"), [](const std::string&) { return ""; });
    auto [id, source] = read_ssh_option("git=" + path("agent"));
    EXPECT_EQ(id, "git");
    EXPECT_EQ(source, worker::SshAgentSource{path("agent")});
}

TEST_F(SshOption, IsTheAgentOfTheEnvironment) {
    test::UnixServer agent(path("agent"), [](const std::string&) { return ""; });
    ::setenv("SSH_AUTH_SOCK", path("agent").c_str(), 1);
    for (const char* option : {"default", "default="})
        EXPECT_EQ(read_ssh_option(option).second.address, path("agent"));
    ::unsetenv("SSH_AUTH_SOCK");
    EXPECT_EQ(failure("default").code(), base::ErrorCode::NotFound);
    EXPECT_THAT(failure("default").what(), HasSubstr("SSH_AUTH_SOCK is not set"));
}

TEST_F(SshOption, NamesFilesWithKeys) {
    for (const char* name : {"one", "two"}) base::write_file_atomic(path(name), "key");
    auto [id, source] = read_ssh_option("default=" + path("one") + "," + path("two"));
    EXPECT_EQ(id, "default");
    EXPECT_EQ(source, (worker::SshAgentSource{"", {path("one"), path("two")}}));
}

TEST_F(SshOption, WhatIsNeitherSocketNorFileIsRefused) {
    test::UnixServer agent(path("agent"), [](const std::string&) { return ""; });
    base::write_file_atomic(path("key"), "key");
    EXPECT_EQ(failure("default=" + path("none")).code(), base::ErrorCode::NotFound);
    EXPECT_THAT(failure("default=" + path("key") + ",").what(), HasSubstr("no socket or key file \"\""));
    EXPECT_THAT(failure("default=" + path("")).what(), HasSubstr("neither an agent's socket nor a file"));
    for (const std::string& paths : {path("key") + "," + path("agent"), path("agent") + "," + path("key"),
                                     path("agent") + "," + path("agent")})
        EXPECT_THAT(failure("default=" + paths).what(), HasSubstr("expected one socket, or only files"));
    EXPECT_EQ(failure("=x").code(), base::ErrorCode::Invalid);
}

TEST_F(SshOption, AgentsHaveIdsOfTheirOwn) {
    test::UnixServer agent(path("agent"), [](const std::string&) { return ""; });
    RunFlags flags;
    flags.ssh = {"other=" + path("agent"), "default=" + path("agent")};
    BuildRequest request;
    apply_run_options(flags, request);
    EXPECT_EQ(request.worker.ssh_agents.size(), 2u);
    flags.ssh.push_back("other=" + path("agent"));
    try {
        apply_run_options(flags, request);
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Invalid);
        EXPECT_THAT(error.what(), HasSubstr("there is an agent other already"));
    }
}

}  // namespace
}  // namespace mullion::cli
