#include "cli/network_options.hpp"

#include <gmock/gmock.h>

#include <functional>

#include "base/error.hpp"
#include "base/file.hpp"
#include "cli/port_option.hpp"
#include "tests/support/errors.hpp"

namespace mullion::cli {
namespace {

using base::ErrorCode;
using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;
using Ports = std::vector<hcs::PortMapping>;

TEST(PublishOption, HasADockersForm) {
    EXPECT_EQ(parse_ports("8080:80"), (Ports{{6, 80, 8080, ""}}));
    EXPECT_EQ(parse_ports("10.20.0.7:8080:80/tcp"), (Ports{{6, 80, 8080, "10.20.0.7"}}));
    EXPECT_EQ(parse_ports("0.0.0.0:53:53/udp"), (Ports{{17, 53, 53, ""}}));
    EXPECT_EQ(parse_ports("8000-8002:90-92"),
              (Ports{{6, 90, 8000, ""}, {6, 91, 8001, ""}, {6, 92, 8002, ""}}));
    EXPECT_EQ(parse_ports("1:65535"), (Ports{{6, 65535, 1, ""}}));
}

TEST(PublishOption, WhatIsMalformedIsQuoted) {
    for (const char* text :
         {"",         ":",         "80:",      "a:80",         "8080:80/",   "8080:80/http",    "0:80",
          "80:0",     "65536:80",  "80:65536", "8000-8001:80", "8000:80-81", "8001-8000:81-80", "1-:1-",
          "host:1:2", "1.2.3:1:2", ":1:2",     "-1:2",         "+1:2",       "1:2:3:4"}) {
        base::Error error = error_of([&] { parse_ports(text); });
        EXPECT_EQ(error.code(), ErrorCode::Invalid) << text;
        EXPECT_THAT(error.what(), HasSubstr("--publish \"" + std::string(text) + "\""));
    }
}

TEST(PublishOption, WhatDockerTakesBesidesIsRefusedByName) {
    for (const char* text : {"80", "127.0.0.1::80", "80:80/sctp", "[::1]:80:80"}) {
        base::Error error = error_of([&] { parse_ports(text); });
        EXPECT_EQ(error.code(), ErrorCode::Unsupported) << text;
        EXPECT_THAT(error.what(), HasSubstr("--publish " + std::string(text)));
    }
}

class NetworkOptions : public testing::Test {
  protected:
    hcs::NetworkSpec applied(hcs::NetworkSpec spec = {.mode = hcs::NetworkMode::Nat}) const {
        apply_network_options(flags, spec);
        return spec;
    }
    base::Error refused(const hcs::NetworkSpec& spec = {.mode = hcs::NetworkMode::Nat}) const {
        return error_of([&] { applied(spec); });
    }
    std::string config(const std::string& name, const std::string& capabilities) const {
        std::string text = R"({"cniVersion":"1.0.0","name":")" + name + R"(","type":"nat",)" +
                           R"("ipam":{"subnet":"10.4.0.0/24"},"dns":{"nameservers":["10.0.0.1"]},)" +
                           R"("capabilities":{)" + capabilities + "}}";
        base::write_file_atomic(directory.path() / (name + ".conf"), text);
        return (directory.path() / (name + ".conf")).string();
    }

    NetworkFlags flags;
    base::TempDir directory{std::filesystem::temp_directory_path(), "network-test"};
};

TEST_F(NetworkOptions, AreAbsentByDefault) {
    hcs::NetworkSpec spec = applied();
    EXPECT_EQ(spec.name, "");
    EXPECT_FALSE(spec.definition);
    EXPECT_EQ(spec.dns, hcs::HostDns{});
    EXPECT_TRUE(spec.ports.empty());
    EXPECT_EQ(spec.mtu, 0);
}

TEST_F(NetworkOptions, AddUp) {
    flags.dns = {"10.0.0.53", "fd00::53"};
    flags.publish = {"8080:80", "8080:80/udp", "10.0.0.1:8080:81"};
    flags.mtu = 1400;
    hcs::NetworkSpec spec = applied();
    EXPECT_THAT(spec.dns.servers, ElementsAre("10.0.0.53", "fd00::53"));
    EXPECT_EQ(spec.ports.size(), 3u);
    EXPECT_EQ(spec.mtu, 1400);
}

TEST_F(NetworkOptions, NonsenseIsNamed) {
    flags.dns = {"ns.example"};
    EXPECT_THAT(refused().what(), HasSubstr("--dns \"ns.example\""));
    flags.dns.clear();
    flags.publish = {"8080-8082:80-82", "8081:90"};
    EXPECT_THAT(refused().what(), HasSubstr("--publish 8081:90: port 8081 is published already"));
}

TEST_F(NetworkOptions, NeedANetwork) {
    for (auto set : std::vector<std::pair<std::string, std::function<void(NetworkFlags&)>>>{
             {"--cni-config", [](NetworkFlags& f) { f.cni_config = "x"; }},
             {"--dns", [](NetworkFlags& f) { f.dns = {"10.0.0.1"}; }},
             {"--mtu", [](NetworkFlags& f) { f.mtu = 1400; }},
             {"--publish", [](NetworkFlags& f) { f.publish = {"80:80"}; }}}) {
        flags = {};
        set.second(flags);
        base::Error error = refused({});
        EXPECT_EQ(error.code(), ErrorCode::Invalid);
        EXPECT_THAT(error.what(), HasSubstr(set.first + " and --network none"));
    }
}

TEST_F(NetworkOptions, CniConfigurationsNameANetworkAndSayWhatToMake) {
    flags.cni_config = config("corp", R"("dns":true)");
    hcs::NetworkSpec spec = applied();
    EXPECT_EQ(spec.name, "corp");
    ASSERT_TRUE(spec.definition);
    EXPECT_EQ(spec.definition->subnets, (std::vector<hcs::HostSubnet>{{"10.4.0.0/24", "10.4.0.1"}}));
    EXPECT_THAT(spec.dns.servers, ElementsAre("10.0.0.1"));
    flags.dns = {"10.0.0.53"};
    EXPECT_THAT(applied().dns.servers, ElementsAre("10.0.0.53"));
    EXPECT_EQ(refused({.mode = hcs::NetworkMode::Nat, .name = "other"}).code(), ErrorCode::Invalid);
}

TEST_F(NetworkOptions, WhatTheNetworkIsNotCapableOfIsRefused) {
    flags.cni_config = config("plain", R"("portMappings":false)");
    flags.publish = {"80:80"};
    EXPECT_THAT(refused().what(), HasSubstr("--publish: the CNI configuration " + *flags.cni_config));
    EXPECT_THAT(refused().what(), HasSubstr("portMappings"));
    flags.publish.clear();
    flags.dns = {"10.0.0.53"};
    EXPECT_THAT(refused().what(), HasSubstr("capable of dns"));
    flags.cni_config = config("able", R"("portMappings":true,"dns":true)");
    flags.publish = {"80:80"};
    EXPECT_EQ(applied().ports.size(), 1u);
}

TEST_F(NetworkOptions, ADirectorysFirstConfigurationCounts) {
    flags.cni_config = directory.path().string();
    EXPECT_EQ(refused().code(), ErrorCode::NotFound);
    config("20-second", "");
    config("10-first", "");
    base::write_file_atomic(directory.path() / "00-readme.txt", "not one");
    EXPECT_EQ(applied().name, "10-first");
}

TEST_F(NetworkOptions, UnreadableConfigurationsAreNamed) {
    flags.cni_config = (directory.path() / "absent.conf").string();
    EXPECT_EQ(refused().code(), ErrorCode::NotFound);
    flags.cni_config = config("bad\\", "");
    EXPECT_EQ(refused().code(), ErrorCode::Invalid);
    flags.cni_config = "";  // a variable that is not set
    EXPECT_THAT(refused().what(), HasSubstr("--cni-config \"\""));
    EXPECT_THAT(refused({}).what(), HasSubstr("--network none"));
}

}  // namespace
}  // namespace mullion::cli
