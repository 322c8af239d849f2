#include "hcs/network_schema.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace mullion::hcs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// The documents of hcs.md §6.1, without white space and without members that say nothing.
TEST(NetworkSchema, NetworkIsWrittenAsTheServiceWantsIt) {
    HostNetwork network;
    network.name = "mullion";
    network.subnets = {{"172.29.64.0/20", "172.29.64.1"}};
    network.dns.servers = {"172.29.64.1"};
    EXPECT_EQ(to_json(network), R"({"Name":"mullion","Type":"NAT","SchemaVersion":{"Major":2,"Minor":0},)"
                                R"("Ipams":[{"Type":"Static","Subnets":[{"IpAddressPrefix":"172.29.64.0/20",)"
                                R"("Routes":[{"NextHop":"172.29.64.1","DestinationPrefix":"0.0.0.0/0"}]}]}],)"
                                R"("Dns":{"ServerList":["172.29.64.1"]}})");
}

TEST(NetworkSchema, EndpointIsWrittenAsTheServiceWantsIt) {
    HostEndpoint endpoint;
    endpoint.name = "run-81_mullion";
    endpoint.network = "a9c1f0de-2b73-4e55-8f10-77c3a1d4e602";
    endpoint.dns = {"corp.example", {"corp.example"}, {"10.20.0.53"}};
    endpoint.ports = {{6, 80, 8080, "10.20.0.7"}, {17, 53, 5353, ""}};
    endpoint.encapsulation_overhead = 50;
    EXPECT_EQ(to_json(endpoint),
              R"({"Name":"run-81_mullion","HostComputeNetwork":"a9c1f0de-2b73-4e55-8f10-77c3a1d4e602",)"
              R"("SchemaVersion":{"Major":2,"Minor":0},)"
              R"("Dns":{"Domain":"corp.example","Search":["corp.example"],"ServerList":["10.20.0.53"]},)"
              R"("Policies":[{"Type":"PortMapping","Settings":{"Protocol":6,"InternalPort":80,)"
              R"("ExternalPort":8080,"VIP":"10.20.0.7"}},)"
              R"({"Type":"PortMapping","Settings":{"Protocol":17,"InternalPort":53,"ExternalPort":5353}},)"
              R"({"Type":"EncapOverhead","Settings":{"Overhead":50}}]})");
}

TEST(NetworkSchema, NamespaceRequestsAreTheReferences) {
    EXPECT_EQ(guest_namespace_document(), R"({"Type":"Guest","SchemaVersion":{"Major":2,"Minor":0}})");
    EXPECT_EQ(attach_request("e1"),
              R"({"ResourceType":"Endpoint","RequestType":"Add","Settings":{"EndpointId":"e1"}})");
    EXPECT_EQ(detach_request("e1"),
              R"({"ResourceType":"Endpoint","RequestType":"Remove","Settings":{"EndpointId":"e1"}})");
}

TEST(NetworkSchema, FiltersAreJsonInAString) {
    EXPECT_EQ(network_query(), R"({"SchemaVersion":{"Major":2,"Minor":0}})");
    EXPECT_EQ(network_query("nat"),
              R"({"SchemaVersion":{"Major":2,"Minor":0},"Filter":"{\"Name\":\"nat\"}"})");
}

TEST(NetworkSchema, NetworkOfAnAnswerIsReadLeniently) {
    HostNetwork network =
        parse_host_network(R"({"ID":"N1","Name":"nat","State":1,"Extra":{"Resources":[]},)"
                           R"("Ipams":[{"Subnets":[{"IpAddressPrefix":"172.20.0.0/20","Routes":[)"
                           R"({"NextHop":"1.2.3.4","DestinationPrefix":"10.0.0.0/8"},)"
                           R"({"NextHop":"172.20.0.1","DestinationPrefix":"0.0.0.0/0"}]}]}],"Dns":{}})");
    EXPECT_EQ(network.id, "N1");
    EXPECT_EQ(network.type, "NAT");  // left out when it is NAT
    EXPECT_THAT(network.subnets, ElementsAre(HostSubnet{"172.20.0.0/20", "172.20.0.1"}));
    EXPECT_EQ(parse_host_network(R"({"Name":"br","Type":"L2Bridge"})").type, "L2Bridge");
}

TEST(NetworkSchema, EndpointOfAnAnswerHasItsAddresses) {
    HostEndpoint endpoint =
        parse_host_endpoint(R"({"ID":"E1","Name":"x","HostComputeNetwork":"N1",)"
                            R"("IpConfigurations":[{"IpAddress":"172.29.64.18","PrefixLength":20}]})");
    EXPECT_THAT(endpoint.addresses, ElementsAre("172.29.64.18/20"));
    EXPECT_EQ(endpoint.network, "N1");
}

TEST(NetworkSchema, IdsAreAnArrayOfTexts) {
    EXPECT_THAT(parse_ids(R"(["A","B"])"), ElementsAre("A", "B"));
    EXPECT_THAT(parse_ids(""), IsEmpty());
    EXPECT_THROW(parse_ids(R"({"A":1})"), base::Error);
    EXPECT_THROW(parse_ids("[1]"), base::Error);
}

}  // namespace
}  // namespace mullion::hcs
