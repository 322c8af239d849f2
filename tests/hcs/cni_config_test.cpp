#include "hcs/cni_config.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using testing::ElementsAre;
using testing::HasSubstr;

base::Error refusal(std::string_view json) {
    try {
        parse_cni_config(json);
    } catch (const base::Error& error) {
        return error;
    }
    ADD_FAILURE() << "not refused: " << json;
    return base::fail(ErrorCode::Internal, "not refused");
}

// The configuration of hcs.md §6.2.
TEST(CniConfig, NatNetworkOfTheReference) {
    CniConfig config = parse_cni_config(
        R"({"cniVersion": "1.0.0", "name": "nat", "type": "nat", "master": "Ethernet",
            "ipam": {"subnet": "172.29.64.0/20", "routes": [{"gateway": "172.29.64.254"}]},
            "capabilities": {"portMappings": true, "dns": true}})");
    EXPECT_EQ(config.network.name, "nat");
    EXPECT_EQ(config.network.type, "NAT");
    EXPECT_THAT(config.network.subnets, ElementsAre(HostSubnet{"172.29.64.0/20", "172.29.64.254"}));
    EXPECT_TRUE(config.port_mappings);
    EXPECT_TRUE(config.dns);
}

TEST(CniConfig, GatewayIsTheFirstAddressWhereNoRouteNamesOne) {
    CniConfig config = parse_cni_config(
        R"({"cniVersion":"0.2.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0.0/24","routes":[]}})");
    EXPECT_EQ(config.network.subnets[0].gateway, "10.4.0.1");
    config = parse_cni_config(
        R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0.0/24","routes":[{"gw":"10.4.0.9"}]}})");
    EXPECT_EQ(config.network.subnets[0].gateway, "10.4.0.9");
}

// The plugins are written in Go, and their own examples write so.
TEST(CniConfig, CaseOfMembersDoesNotCount) {
    CniConfig config = parse_cni_config(
        R"({"CNIVersion":"0.2.0","Name":"n","type":"sdnbridge","IPAM":{"subnet":"10.4.8.0/22","routes":[{"GW":"10.4.8.2"}]},
            "dns":{"Nameservers":["10.0.0.10"],"Search":["svc.corp"]}})");
    EXPECT_THAT(config.network.subnets, ElementsAre(HostSubnet{"10.4.8.0/22", "10.4.8.2"}));
    EXPECT_EQ(config.network.dns, (HostDns{"", {"svc.corp"}, {"10.0.0.10"}}));
    EXPECT_THAT(refusal(R"({"cniVersion":"1.0.0","name":"n","type":"nat","additionalArgs":[{}]})").what(),
                HasSubstr("additionalArgs: not supported"));
}

TEST(CniConfig, WhatSaysNothingIsNoDemand) {
    CniConfig config = parse_cni_config(
        R"({"cniVersion":"1.0.0","name":"n","labels":{"of":"a runtime"},"plugins":[{"type":"nat","optionalFlags":{},
            "AdditionalArgs":[],"args":null,"ipam":{"type":"","subnet":"10.4.0.0/24","routes":[{"dst":"0.0.0.0/0"}]}}]})");
    EXPECT_THAT(config.network.subnets, ElementsAre(HostSubnet{"10.4.0.0/24", "10.4.0.1"}));
}

TEST(CniConfig, BridgesAndListsOfOnePlugin) {
    CniConfig config = parse_cni_config(
        R"({"cniVersion":"1.0.0","name":"cbr0","plugins":[{"type":"sdnbridge",
            "dns":{"nameservers":["10.0.0.10"],"domain":"corp","search":["svc.corp"]}}]})");
    EXPECT_EQ(config.network.name, "cbr0");
    EXPECT_EQ(config.network.type, "L2Bridge");
    EXPECT_TRUE(config.network.subnets.empty());
    EXPECT_EQ(config.network.dns, (HostDns{"corp", {"svc.corp"}, {"10.0.0.10"}}));
    EXPECT_FALSE(config.port_mappings);
}

TEST(CniConfig, WhatIsNotDoneIsRefusedByName) {
    struct Case {
        const char* json;
        const char* named;
    };
    for (
        const Case& known : std::initializer_list<Case>{
            {R"({"cniVersion":"2.0.0","name":"n","type":"nat"})", "2.0.0"},
            {R"({"cniVersion":"1.0.0","name":"n","type":"sdnoverlay"})", "sdnoverlay"},
            {R"({"cniVersion":"1.0.0","name":"n","plugins":[{"type":"nat"},{"type":"portmap"}]})", "plugins"},
            {R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"type":"host-local"}})", "ipam.type"},
            {R"({"cniVersion":"1.0.0","name":"n","type":"nat","AdditionalArgs":[{"name":"EndpointPolicy"}]})",
             "AdditionalArgs"},
            {R"({"cniVersion":"1.0.0","name":"n","type":"nat","optionalFlags":{"loopbackDSR":true}})",
             "optionalFlags"},
            {R"({"cniVersion":"0.3.1","name":"n","type":"nat"})", "0.2.0, 0.3.0, 0.4.0, 1.0.0 are"},
            {R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipamv6":{"subnet":"fd00::/64"}})", "$.ipamv6"},
            {R"({"cniVersion":"1.0.0","name":"n","type":"nat","runtimeConfig":{"dns":{}}})", "runtimeConfig"},
            {R"({"cniVersion":"1.0.0","name":"n","type":"nat","dns":{"options":["ndots:5"]}})",
             "dns.options"},
            {R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"ipAddress":"10.4.0.9"}})",
             "ipam.ipAddress"},
            {R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0.0/24","routes":[
               {"dst":"10.0.0.0/8","gw":"10.4.0.9"}]}})",
             "routes[0].dst"},
            {R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0.0/24","routes":[
               {"gw":"10.4.0.2"},{"gw":"10.4.0.3"}]}})",
             "routes[1]"},
            {R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"routes":[{"gw":"10.4.0.2"}]}})",
             "ipam.routes"},
        }) {
        base::Error error = refusal(known.json);
        EXPECT_EQ(error.code(), ErrorCode::Unsupported) << known.json;
        EXPECT_THAT(error.what(), HasSubstr(known.named));
    }
}

TEST(CniConfig, WhatIsMalformedIsQuoted) {
    EXPECT_STREQ(
        refusal(R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0.16/24"}})").what(),
        "CNI configuration: $.ipam.subnet: expected the address of a subnet, not one in it, found "
        "\"10.4.0.16/24\"");
}

TEST(CniConfig, MalformedOnesAreInvalid) {
    for (
        const char* json :
        {"", "[]", R"({"name":"n","type":"nat"})", R"({"cniVersion":"1.0.0","type":"nat"})",
         R"({"cniVersion":"1.0.0","name":"","type":"nat"})", R"({"cniVersion":"1.0.0","name":"n"})",
         R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0.0"}})",
         R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0.256/24"}})",
         R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0.0/31"}})",
         R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0.0/"}})",
         R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0/24"}})",
         R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0.16/24"}})",
         R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"10.4.0.0/24","routes":[{"gw":"me"}]}})",
         R"({"cniVersion":"1.0.0","name":"n","type":"nat","ipam":{"subnet":"fd00::/64"}})"}) {
        EXPECT_EQ(refusal(json).code(), ErrorCode::Invalid) << json;
    }
}

}  // namespace
}  // namespace mullion::hcs
