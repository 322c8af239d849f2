#include "cli/run_options.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "base/error.hpp"
#include "cli/build_request.hpp"
#include "cli/secret_option.hpp"
#include "tests/support/environment.hpp"
#include "tests/support/errors.hpp"

namespace mullion::cli {
namespace {

using Pair = std::pair<std::string, std::string>;
using test::error_of;
using testing::HasSubstr;
using testing::Not;

BuildRequest applied(const RunFlags& flags) {
    BuildRequest request;
    apply_run_options(flags, request);
    return request;
}

class SecretOption : public testing::Test {
  protected:
    SecretOption() : directory_(std::filesystem::temp_directory_path(), "secret-test") {
        base::write_file_atomic(file(), "from a file\n");
        test::set_variable("MULLION_TEST_SECRET", "from a variable");
    }
    ~SecretOption() override { test::unset_variable("MULLION_TEST_SECRET"); }
    std::string file() const { return (directory_.path() / "secret").string(); }

  private:
    base::TempDir directory_;
};

TEST_F(SecretOption, ComesFromAFileOrAVariable) {
    EXPECT_EQ(read_secret("id=a,src=" + file()), Pair("a", "from a file\n"));
    EXPECT_EQ(read_secret("type=file,ID=a,source=" + file()), Pair("a", "from a file\n"));
    EXPECT_EQ(read_secret("id=a,env=MULLION_TEST_SECRET"), Pair("a", "from a variable"));
    EXPECT_EQ(read_secret("id=a,type=env,src=MULLION_TEST_SECRET"), Pair("a", "from a variable"));
    EXPECT_EQ(read_secret("id=MULLION_TEST_SECRET"), Pair("MULLION_TEST_SECRET", "from a variable"));
    EXPECT_EQ(read_secret("id=" + file()), Pair(file(), "from a file\n"));
}

TEST_F(SecretOption, WhatIsWrongIsNamed) {
    EXPECT_THAT(error_of([] { read_secret("src=x"); }).what(), HasSubstr("secret missing ID"));
    EXPECT_THAT(error_of([] { read_secret("id=a,type=vault"); }).what(),
                HasSubstr("unsupported secret type \"vault\""));
    EXPECT_THAT(error_of([] { read_secret("id=a,path=x"); }).what(), HasSubstr("unexpected key 'path'"));
    EXPECT_THAT(error_of([] { read_secret("id=a,src=x,env=Y"); }).what(), HasSubstr("exclude one another"));
    EXPECT_EQ(error_of([] { read_secret("id=a,src=/no/such/file"); }).code(), base::ErrorCode::NotFound);
    EXPECT_EQ(error_of([] { read_secret("id=a,env=MULLION_NO_SUCH_VARIABLE"); }).code(),
              base::ErrorCode::NotFound);
    base::write_file_atomic(file(), std::string(kMaxSecret + 1, 'x'));
    EXPECT_EQ(error_of([&] { read_secret("id=a,src=" + file()); }).code(), base::ErrorCode::Invalid);
}

TEST(RunOptions, HostsAreNamesAndAddresses) {
    RunFlags flags;
    flags.add_hosts = {"a=10.0.0.1", "b.c:10.0.0.2", "six:::1", "seven=[fe80::1]", "me:host-gateway"};
    EXPECT_THAT(applied(flags).frontend.add_hosts,
                testing::ElementsAre(Pair("a", "10.0.0.1"), Pair("b.c", "10.0.0.2"), Pair("six", "::1"),
                                     Pair("seven", "fe80::1"), Pair("me", "127.0.0.1")));
    for (const char* bad : {"a", "a=", "=10.0.0.1", "a=10.0.0", "a b=10.0.0.1", "a=10.0.0.1\r\nx"}) {
        flags.add_hosts = {bad};
        EXPECT_EQ(error_of([&] { applied(flags); }).code(), base::ErrorCode::Invalid) << bad;
    }
}

TEST(RunOptions, NetworkOfTheHostIsAllowedByAskingForIt) {
    RunFlags flags;
    EXPECT_FALSE(applied(flags).worker.allow_host_network);
    flags.allow = {"network.host"};
    EXPECT_TRUE(applied(flags).worker.allow_host_network);
    EXPECT_EQ(applied(flags).frontend.network, frontend::NetworkMode::Default);
    flags.allow.clear();
    flags.network = "host";
    EXPECT_TRUE(applied(flags).worker.allow_host_network);
    EXPECT_EQ(applied(flags).frontend.network, frontend::NetworkMode::Host);
}

TEST(RunOptions, TheNetworkOfStepsIsForTheWorker) {
    RunFlags flags;
    flags.networking.dns = {"10.0.0.53"};
    flags.networking.mtu = 1400;
    hcs::NetworkSpec spec = applied(flags).worker.network;
    EXPECT_EQ(spec.mode, hcs::NetworkMode::Nat);
    EXPECT_THAT(spec.dns.servers, testing::ElementsAre("10.0.0.53"));
    EXPECT_EQ(spec.mtu, 1400);
    flags.network = "none";
    EXPECT_EQ(error_of([&] { applied(flags); }).code(), base::ErrorCode::Invalid);
}

TEST(RunOptions, WhatCannotBeDoneIsRefusedByName) {
    auto refused = [](const std::function<void(RunFlags&)>& ask, const char* name) {
        RunFlags flags;
        ask(flags);
        auto error = error_of([&] { applied(flags); });
        EXPECT_EQ(error.code(), base::ErrorCode::Unsupported);
        EXPECT_THAT(error.what(), HasSubstr(name));
    };
    refused([](RunFlags& flags) { flags.allow = {"security.insecure"}; }, "security.insecure");
    refused([](RunFlags& flags) { flags.allow = {"device=vendor/class"}; }, "device=vendor/class");
    refused([](RunFlags& flags) { flags.allow = {"fs.read=/"}; }, "fs.read=/");
    refused([](RunFlags& flags) { flags.ulimits = {"nofile=1"}; }, "--ulimit");
    refused([](RunFlags& flags) { flags.shm_size = "1g"; }, "--shm-size");
    refused([](RunFlags& flags) { flags.cgroup_parent = "x"; }, "--cgroup-parent");
    RunFlags unknown;
    unknown.allow = {"network.hots"};
    EXPECT_EQ(error_of([&] { applied(unknown); }).code(), base::ErrorCode::Invalid);
}

TEST(RunOptions, HyperVIsForHostsThatHaveIt) {
    RunFlags flags;
    EXPECT_EQ(applied(flags).worker.isolation, oci::Isolation::Auto);
    flags.isolation = "process";
    EXPECT_EQ(applied(flags).worker.isolation, oci::Isolation::Process);
    flags.isolation = "hyperv";
    EXPECT_THAT(error_of([&] { applied(flags); }).what(), HasSubstr("needs a Windows host"));
    BuildRequest request;
    request.worker.host = oci::WindowsHost{{10, 0, 20348, 1}, true, false};
    EXPECT_THAT(error_of([&] { apply_run_options(flags, request); }).what(),
                HasSubstr("Hyper-V is not enabled"));
    request.worker.host->has_hyperv = true;
    apply_run_options(flags, request);
    EXPECT_EQ(request.worker.isolation, oci::Isolation::HyperV);
}

TEST(RunOptions, LimitsAreNumbers) {
    RunFlags flags;
    flags.cpus = "3";
    flags.step_timeout = "2h";
    EXPECT_EQ(applied(flags).worker.limits.processors, 3u);
    EXPECT_EQ(applied(flags).worker.limits.time_limit, std::chrono::hours(2));
    flags.cpus = "1.5";
    EXPECT_EQ(error_of([&] { applied(flags); }).code(), base::ErrorCode::Invalid);
    flags = {};
    flags.step_timeout = "169h";
    EXPECT_EQ(error_of([&] { applied(flags); }).code(), base::ErrorCode::Invalid);
}

}  // namespace
}  // namespace mullion::cli
