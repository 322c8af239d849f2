#include "oci/docker_config.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "support.hpp"

namespace mullion::oci::test {
namespace {

namespace fs = std::filesystem;
using base::ErrorCode;
using testing::HasSubstr;
using testing::Not;

class DockerConfigTest : public ScratchTest {
  protected:
    DockerConfigTest() {
        fs::create_directories(path("bin"));
        ::setenv("PATH", (path("bin").string() + ":" + old_path_).c_str(), 1);
    }
    ~DockerConfigTest() override { ::setenv("PATH", old_path_.c_str(), 1); }

    fs::path file() const { return path("config.json"); }
    // A helper that notes how it was called.
    void add_helper(const std::string& name, const std::string& script) {
        fs::path program = path("bin") / ("docker-credential-" + name);
        base::write_file_atomic(program, "#!/bin/sh\necho \"$@\" >> " + path("calls").string() + "\ncat >> " +
                                             path("input").string() + "\n" + script);
        fs::permissions(program, fs::perms::owner_all);
    }
    std::optional<Credential> find(const std::string& host, const std::string& repository = "") {
        return DockerConfig(file(), std::chrono::seconds(5)).find(host, repository, none_);
    }

  private:
    std::string old_path_ = std::getenv("PATH");
};

TEST_F(DockerConfigTest, WithoutAFileThereIsNobody) {
    EXPECT_EQ(find("docker.io"), std::nullopt);
}

// Written by hand, as "docker login" and "podman login" leave it: base64("user:pa:ss").
TEST_F(DockerConfigTest, FindsWhatOthersWrote) {
    write("config.json", R"({"auths":{
        "https://index.docker.io/v1/":{"auth":"dXNlcjpwYTpzcw=="},
        "registry.example:5000":{"username":"u","password":"p"},
        "https://old.example/v1/":{"identitytoken":"refresh"},
        "podman.example/team":{"auth":"dXNlcjpwYTpzcw=="},
        "empty.example":{}},"HttpHeaders":{"X":"1"}})");
    EXPECT_EQ(find("docker.io"), (Credential{"user", "pa:ss", "", ""}));
    EXPECT_EQ(find("registry.example:5000"), (Credential{"u", "p", "", ""}));
    EXPECT_EQ(find("old.example"), (Credential{"", "", "refresh", ""}));
    EXPECT_EQ(find("registry.example"), std::nullopt);
    EXPECT_EQ(find("podman.example"), std::nullopt);
    EXPECT_EQ(find("empty.example"), std::nullopt);
}

// The order of containers-auth.json(5). base64 of "repo:r", "team:t", "host:h", "hub:d".
TEST_F(DockerConfigTest, TheLongestKeyCounts) {
    write("config.json", R"({"auths":{
        "a.example":{"auth":"aG9zdDpo"},
        "a.example/team":{"auth":"dGVhbTp0"},
        "a.example/team/sub/app":{"auth":"cmVwbzpy"},
        "a.example/empty":{},
        "docker.io/library":{"auth":"aHViOmQ="}}})");
    auto user = [&](const std::string& host, const std::string& repository) {
        auto found = find(host, repository);
        return found ? found->username : "nobody";
    };
    EXPECT_EQ(user("a.example", "team/sub/app"), "repo");
    EXPECT_EQ(user("a.example", "team/sub/app/more"), "repo");
    EXPECT_EQ(user("a.example", "team/sub/other"), "team");
    EXPECT_EQ(user("a.example", "team"), "team");
    EXPECT_EQ(user("a.example", "teams/app"), "host");
    EXPECT_EQ(user("a.example", "empty/app"), "host");
    EXPECT_EQ(user("a.example", ""), "host");
    EXPECT_EQ(user("docker.io", "library/app"), "hub");
    EXPECT_EQ(user("docker.io", "other/app"), "nobody");
    EXPECT_EQ(user("b.example", "team/app"), "nobody");
}

TEST_F(DockerConfigTest, AHelperComesBeforeTheKeyOfARepository) {
    write("config.json", R"({"credsStore":"all","auths":{"a.example/team":{"auth":"dGVhbTp0"}}})");
    add_helper("all", R"(echo '{"Username":"u","Secret":"s"}')");
    DockerConfig config(file());
    EXPECT_EQ(config.find("a.example", "team/app", none_), (Credential{"u", "s", "", ""}));
    EXPECT_EQ(config.find("a.example", "other/app", none_), (Credential{"u", "s", "", ""}));
    EXPECT_EQ(read("calls"), "get\n");
    add_helper("all", "echo 'credentials not found in native keychain'; exit 1");
    EXPECT_EQ(find("a.example", "team/app"), (Credential{"team", "t", "", ""}));
    EXPECT_EQ(find("a.example", "other/app"), std::nullopt);
}

TEST_F(DockerConfigTest, WhatCannotBeReadIsNamed) {
    write("config.json", R"({"auths":{"a.example":{"auth":"secret!"}}})");
    Failure failed = failure([&] { find("a.example"); });
    EXPECT_EQ(failed.code, ErrorCode::Invalid);
    EXPECT_THAT(failed.text, HasSubstr(file().string()));
    EXPECT_THAT(failed.text, Not(HasSubstr("secret!")));
    write("config.json", "[]");
    EXPECT_EQ(failure([&] { find("a.example"); }).code, ErrorCode::Invalid);
    write("config.json", std::string(1000, '['));
    EXPECT_EQ(failure([&] { find("a.example"); }).code, ErrorCode::Invalid);
}

TEST_F(DockerConfigTest, TheHostsOwnHelperComesFirstAndIsAskedOnce) {
    write("config.json", R"({"credsStore":"all","credHelpers":{"a.example":"own"}})");
    add_helper("own", R"(echo '{"ServerURL":"a.example","Username":"<token>","Secret":"t"}')");
    add_helper("all", R"(echo '{"Username":"u","Secret":"s"}')");
    DockerConfig config(file());
    EXPECT_EQ(config.find("a.example", "", none_), (Credential{"", "", "t", ""}));
    EXPECT_EQ(config.find("a.example", "", none_), (Credential{"", "", "t", ""}));
    EXPECT_EQ(config.find("docker.io", "", none_), (Credential{"u", "s", "", ""}));
    EXPECT_EQ(read("calls"), "get\nget\n");
    EXPECT_EQ(read("input"), "a.examplehttps://index.docker.io/v1/");
}

TEST_F(DockerConfigTest, AHelperThatKnowsNothingIsNoFailure) {
    write("config.json", R"({"credsStore":"all","auths":{"a.example":{"auth":"dTpw"}}})");
    add_helper("all", "echo 'credentials not found in native keychain'; exit 1");
    EXPECT_EQ(find("a.example"), (Credential{"u", "p", "", ""}));
    EXPECT_EQ(find("b.example"), std::nullopt);
}

TEST_F(DockerConfigTest, HelpersThatFail) {
    write("config.json", R"({"credsStore":"broken"})");
    Failure failed = failure([&] { find("a.example"); });
    EXPECT_EQ(failed.code, ErrorCode::NotFound);
    EXPECT_THAT(failed.text, HasSubstr("docker-credential-broken"));
    add_helper("broken", "echo 'the vault is closed'; exit 3");
    failed = failure([&] { find("a.example"); });
    EXPECT_EQ(failed.code, ErrorCode::Process);
    EXPECT_THAT(failed.text, HasSubstr("the vault is closed"));
    add_helper("broken", "echo 'hunter2'");
    failed = failure([&] { find("a.example"); });
    EXPECT_EQ(failed.code, ErrorCode::Invalid);
    EXPECT_THAT(failed.text, Not(HasSubstr("hunter2")));
    add_helper("broken", "sleep 60");
    DockerConfig impatient(file(), std::chrono::milliseconds(50));
    EXPECT_EQ(failure([&] { impatient.find("a.example", "", none_); }).code, ErrorCode::TimedOut);
}

TEST_F(DockerConfigTest, AHelpersNameIsNoPath) {
    write("config.json", R"({"credsStore":"../../bin/sh"})");
    EXPECT_EQ(failure([&] { find("a.example"); }).code, ErrorCode::Invalid);
}

TEST_F(DockerConfigTest, NamesTheProgramsOfAllItsHelpers) {
    EXPECT_THAT(DockerConfig(file()).helper_programs(), testing::IsEmpty());
    write("config.json",
          R"({"credsStore":"pass","credHelpers":{"a.example":"ecr-login","b.example":"pass"}})");
    EXPECT_THAT(DockerConfig(file()).helper_programs(),
                testing::ElementsAre("docker-credential-ecr-login", "docker-credential-pass"));
    write("config.json", R"({"credHelpers":{"a.example":"../x"}})");
    EXPECT_EQ(failure([&] { DockerConfig(file()).helper_programs(); }).code, ErrorCode::Invalid);
}

TEST_F(DockerConfigTest, StoresForItsOwnerOnlyAndKeepsTheRest) {
    write("config.json", R"({"HttpHeaders":{"X":"1"},"auths":{"b.example":{"auth":"dTpw"}}})");
    DockerConfig config(file());
    EXPECT_EQ(config.store("a.example", {"user", "pass", "", ""}, none_), file().string());
    EXPECT_EQ(fs::status(file()).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    EXPECT_EQ(find("a.example"), (Credential{"user", "pass", "", ""}));
    EXPECT_EQ(find("b.example"), (Credential{"u", "p", "", ""}));
    EXPECT_THAT(read("config.json"), HasSubstr("\"X\": \"1\""));
    EXPECT_TRUE(config.erase("a.example", none_));
    EXPECT_FALSE(config.erase("a.example", none_));
    EXPECT_EQ(find("a.example"), std::nullopt);
    EXPECT_EQ(find("b.example"), (Credential{"u", "p", "", ""}));
}

TEST_F(DockerConfigTest, StoresWithTheHelperIfThereIsOne) {
    write("config.json", R"({"credsStore":"all"})");
    add_helper("all", "");
    DockerConfig config(file());
    EXPECT_EQ(config.store("docker.io", {"user", "p\"w", "", ""}, none_), "docker-credential-all");
    EXPECT_EQ(read("calls"), "store\n");
    EXPECT_EQ(read("input"),
              R"({"ServerURL":"https://index.docker.io/v1/","Username":"user","Secret":"p\"w"})");
    EXPECT_THAT(read("config.json"), Not(HasSubstr("p\\\"w")));
}

TEST_F(DockerConfigTest, ProxiesForContainersAreVariables) {
    EXPECT_TRUE(container_proxies(file()).empty());
    base::write_file_atomic(file(), R"({"proxies":{
        "default":{"httpProxy":"http://proxy.example:3128","noProxy":"localhost,.example","ftpProxy":""},
        "tcp://docker.example:2376":{"httpsProxy":"http://other.example"}}})");
    EXPECT_THAT(container_proxies(file()),
                testing::ElementsAre(testing::Pair("HTTP_PROXY", "http://proxy.example:3128"),
                                     testing::Pair("NO_PROXY", "localhost,.example")));
    base::write_file_atomic(file(), R"({"proxies":{"default":{"httpProxy":3128}}})");
    EXPECT_EQ(failure([&] { container_proxies(file()); }).code, ErrorCode::Invalid);
}

TEST(CredentialsFile, ComesFromTheEnvironment) {
    ::setenv("REGISTRY_AUTH_FILE", "/a/auth.json", 1);
    ::setenv("DOCKER_CONFIG", "/b", 1);
    EXPECT_EQ(default_credentials_file(), "/a/auth.json");
    EXPECT_EQ(docker_config_file(), "/b/config.json");
    ::unsetenv("REGISTRY_AUTH_FILE");
    EXPECT_EQ(default_credentials_file(), "/b/config.json");
    ::unsetenv("DOCKER_CONFIG");
    EXPECT_THAT(default_credentials_file().string(), testing::EndsWith(".docker/config.json"));
}

}  // namespace
}  // namespace mullion::oci::test
