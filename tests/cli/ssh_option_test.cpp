#include "cli/ssh_option.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/support/unix_server.hpp"

namespace mullion::cli {
namespace {

using testing::HasSubstr;

class SshOption : public testing::Test {
  protected:
    std::string path(const char* name) const { return (directory_.path() / name).string(); }
    static base::Error failure(const std::string& option) {
        try {
            read_ssh_agent(option);
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
    EXPECT_EQ(read_ssh_agent("default=" + path("agent")), std::pair(std::string("default"), path("agent")));
    EXPECT_EQ(read_ssh_agent("git=" + path("agent")).first, "git");
}

TEST_F(SshOption, IsTheAgentOfTheEnvironment) {
    test::UnixServer agent(path("agent"), [](const std::string&) { return ""; });
    ::setenv("SSH_AUTH_SOCK", path("agent").c_str(), 1);
    EXPECT_EQ(read_ssh_agent("default").second, path("agent"));
    ::unsetenv("SSH_AUTH_SOCK");
    EXPECT_EQ(failure("default").code(), base::ErrorCode::NotFound);
    EXPECT_THAT(failure("default").what(), HasSubstr("SSH_AUTH_SOCK is not set"));
}

TEST_F(SshOption, WhatIsNoSocketIsRefused) {
    base::write_file_atomic(path("key"), "-----BEGIN OPENSSH PRIVATE KEY-----");
    EXPECT_EQ(failure("default=" + path("key")).code(), base::ErrorCode::Unsupported);
    EXPECT_THAT(failure("default=" + path("key")).what(), HasSubstr("key files are not supported"));
    EXPECT_EQ(failure("default=" + path("none")).code(), base::ErrorCode::NotFound);
    EXPECT_EQ(failure("=x").code(), base::ErrorCode::Invalid);
}

}  // namespace
}  // namespace mullion::cli
