// The native code on the double of computenetwork.dll.
#include "hcs/native_network.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "hcs/native_host.hpp"
#include "tests/hcs/fake_host.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class NativeNetwork : public FakeHost {
  protected:
    void make_network(const hcs::HostNetwork& network) {
        HCN_NETWORK handle = nullptr;
        api_->HcnCreateNetwork(GUID{}, base::to_wide(to_json(network)).c_str(), &handle, nullptr);
        hcs::UniqueNetwork(handle, api_->HcnCloseNetwork);
    }
    // Of another process: an endpoint, in its namespace or not yet.
    void leave_endpoint(const std::string& name, bool attached) {
        hcs::HostNetwork network = networks_->find("");
        HCN_NETWORK opened = nullptr;
        HCN_ENDPOINT endpoint = nullptr;
        HCN_NAMESPACE space = nullptr;
        GUID network_id{}, id{0x11112222, 0, 0x4000, {0x80, 0, 0, 0, 0, 0, 0, 2}};
        network_id.Data1 = std::stoul(network.id.substr(0, 8), nullptr, 16);
        network_id.Data3 = 0x4000;
        network_id.Data4[0] = 0x80;
        api_->HcnOpenNetwork(network_id, &opened, nullptr);
        hcs::HostEndpoint document;
        document.name = name;
        document.network = network.id;
        api_->HcnCreateEndpoint(opened, id, base::to_wide(to_json(document)).c_str(), &endpoint, nullptr);
        api_->HcnCloseNetwork(opened);
        api_->HcnCloseEndpoint(endpoint);
        if (!attached) return;
        GUID space_id = id;
        space_id.Data4[7] ^= 1;
        api_->HcnCreateNamespace(space_id, base::to_wide(hcs::guest_namespace_document()).c_str(), &space,
                                 nullptr);
        std::string request = hcs::attach_request("11112222-0000-4000-8000-000000000002");
        api_->HcnModifyNamespace(space, base::to_wide(request).c_str(), nullptr);
        api_->HcnCloseNamespace(space);
    }

    std::shared_ptr<const hcs::ComputeNetwork> api_ = hcs::ComputeNetwork::load();
    std::shared_ptr<hcs::NativeNetworks> networks_ = std::make_shared<hcs::NativeNetworks>();
};

TEST_F(NativeNetwork, ANatNetworkIsMadeWhereThereIsNoneAndStays) {
    { hcs::ContainerNetwork network(networks_, {}); }
    EXPECT_EQ(network_objects("networks"), 1u);
    { hcs::ContainerNetwork network(networks_, {}); }
    EXPECT_EQ(network_objects("networks"), 1u);
    EXPECT_EQ(networks_->find("nat").name, "nat");
}

TEST_F(NativeNetwork, AnyNatNetworkOfTheHostWillDo) {
    hcs::HostNetwork bridge, own;
    bridge.name = "bridge";
    bridge.type = "L2Bridge";
    own.name = "Default Switch";
    make_network(bridge);
    make_network(own);
    EXPECT_EQ(networks_->find("").name, "Default Switch");
    EXPECT_EQ(networks_->find("bridge").type, "L2Bridge");
    EXPECT_EQ(network_objects("networks"), 2u);
}

TEST_F(NativeNetwork, LookingForTheNatNetworkMakesNone) {
    EXPECT_EQ(hcs::nat_network(), std::nullopt);
    EXPECT_EQ(network_objects("networks"), 0u);
    hcs::make_nat_network();
    hcs::make_nat_network();
    EXPECT_EQ(hcs::nat_network(), "nat");
    EXPECT_EQ(network_objects("networks"), 1u);
}

TEST_F(NativeNetwork, TheNatNetworkThatIsToldIsTheOneContainersGet) {
    hcs::HostNetwork other, nat;
    other.name = "corporate";
    nat.name = "nat";
    make_network(other);
    EXPECT_EQ(hcs::nat_network(), "corporate");
    make_network(nat);
    EXPECT_EQ(networks_->find("").name, "nat");
    EXPECT_EQ(hcs::nat_network(), "nat");
}

TEST_F(NativeNetwork, NetworksThatGoAwayMeanwhileDisturbNobody) {
    hcs::HostNetwork going, staying;
    going.name = "going";
    staying.name = "staying";
    make_network(going);
    make_network(staying);
    fault("HcnOpenNetwork", "803B0001");  // HCN_E_NETWORK_NOT_FOUND
    EXPECT_EQ(networks_->find("").name, "staying");
    fault("HcnOpenNetwork", "803B0001");
    EXPECT_THROW(networks_->find("going"), base::Error);
}

TEST_F(NativeNetwork, NoLibraryIsMissingHere) {
    EXPECT_THAT(hcs::missing_libraries(), testing::IsEmpty());
}

TEST_F(NativeNetwork, UnknownNetworksAreNotFound) {
    try {
        networks_->find("absent");
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
        EXPECT_THAT(error.what(), HasSubstr("absent"));
    }
}

TEST_F(NativeNetwork, WhatIsMadeGoesInOrder) {
    networks_->find("");
    clear_log();
    {
        hcs::ContainerNetwork network(networks_, {});
        EXPECT_EQ(network_objects("endpoints"), 1u);
        EXPECT_EQ(network_objects("namespaces"), 1u);
        EXPECT_TRUE(std::filesystem::exists(directory() / "namespaces" / network.namespace_id()));
    }
    EXPECT_THAT(calls(), ElementsAre("HcnEnumerateNetworks", "HcnOpenNetwork", "HcnQueryNetworkProperties",
                                     "HcnOpenNetwork", "HcnCreateEndpoint", "HcnCreateNamespace",
                                     "HcnModifyNamespace", "HcnOpenNamespace", "HcnModifyNamespace",
                                     "HcnDeleteNamespace", "HcnDeleteEndpoint"));
}

// Its endpoint is what a namespace is found by.
TEST_F(NativeNetwork, ANamespaceThatCannotBeRemovedIsSweptLater) {
    leave_endpoint("mullion-4294967292-1d9-1", true);
    for (int i = 0; i < 5; ++i) fault("HcnDeleteNamespace");
    networks_->sweep();
    EXPECT_EQ(network_objects("endpoints"), 1u);
    EXPECT_EQ(network_objects("namespaces"), 1u);
    networks_->sweep();
    EXPECT_EQ(network_objects("endpoints"), 0u);
    EXPECT_EQ(network_objects("namespaces"), 0u);
}

TEST_F(NativeNetwork, PortsNamesAndMtuReachTheEndpoint) {
    hcs::ContainerNetwork network(
        networks_,
        {.dns = {"", {"corp.example"}, {"10.20.0.53"}}, .ports = {{6, 80, 8080, ""}}, .mtu = 1400});
    EXPECT_THAT(log(), AllOf(HasSubstr(R"("ExternalPort":8080)"), HasSubstr(R"("ServerList":["10.20.0.53"])"),
                             HasSubstr(R"("Overhead":100)")));
}

TEST_F(NativeNetwork, WhatIsNotSaidOfDnsIsAsTheNetworkHasIt) {
    hcs::HostNetwork nat;
    nat.name = "nat";
    nat.dns = {"corp.example", {"svc.example"}, {"10.20.0.53"}};
    make_network(nat);
    {
        hcs::ContainerNetwork network(networks_, {});
        EXPECT_EQ(hcs::parse_host_endpoint(network.endpoint_properties()).dns, nat.dns);
    }
    hcs::ContainerNetwork network(networks_, {.dns = {"", {}, {"10.0.0.1"}}});
    EXPECT_EQ(hcs::parse_host_endpoint(network.endpoint_properties()).dns,
              (hcs::HostDns{"corp.example", {"svc.example"}, {"10.0.0.1"}}));
}

TEST_F(NativeNetwork, ProtocolsAndAddressesOfPortsReachTheEndpoint) {
    hcs::ContainerNetwork network(networks_, {.ports = {{17, 53, 5353, "10.20.0.7"}}});
    EXPECT_THAT(log(), HasSubstr(R"({"Type":"PortMapping","Settings":{"Protocol":17,"InternalPort":53,)"
                                 R"("ExternalPort":5353,"VIP":"10.20.0.7"}})"));
}

TEST_F(NativeNetwork, ADefinedNatNetworkIsMadeOnceAndStays) {
    hcs::HostNetwork corporate;
    corporate.name = "corporate";
    corporate.subnets = {{"10.4.0.0/24", "10.4.0.1"}};
    for (int i = 0; i < 2; ++i) {
        hcs::ContainerNetwork network(networks_, {.name = "corporate", .definition = corporate});
    }
    EXPECT_EQ(network_objects("networks"), 1u);
    EXPECT_EQ(networks_->find("corporate").subnets, corporate.subnets);
}

TEST_F(NativeNetwork, OtherDefinedNetworksMustBeThere) {
    hcs::HostNetwork bridge;
    bridge.name = "bridge";
    bridge.type = "L2Bridge";
    hcs::NetworkSpec spec{.name = "bridge", .definition = bridge};
    try {
        hcs::ContainerNetwork network(networks_, spec);
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
        EXPECT_THAT(error.what(), AllOf(HasSubstr("bridge"), HasSubstr("L2Bridge")));
    }
    EXPECT_EQ(network_objects("networks"), 0u);
    make_network(bridge);
    hcs::ContainerNetwork network(networks_, spec);
}

TEST_F(NativeNetwork, PortsInUseAreNamed) {
    hcs::ContainerNetwork first(networks_, {.ports = {{6, 80, 8080, ""}}});
    try {
        hcs::ContainerNetwork second(networks_, {.ports = {{6, 81, 8080, ""}}});
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Exists);
        EXPECT_THAT(error.what(), HasSubstr("HCN_E_PORT_ALREADY_EXISTS"));
    }
}

TEST_F(NativeNetwork, ImpossibleMtusAreRefused) {
    for (std::uint16_t mtu : {1, 575, 1501}) {
        EXPECT_THROW(hcs::ContainerNetwork(networks_, {.mtu = mtu}), base::Error);
    }
}

TEST_F(NativeNetwork, LeftoversOfDeadProcessesAreSwept) {
    for (bool attached : {false, true}) {
        leave_endpoint("mullion-4294967292-1d9-1", attached);
        EXPECT_EQ(network_objects("endpoints"), 1u);
        networks_->sweep();
        EXPECT_EQ(network_objects("endpoints"), 0u);
        EXPECT_EQ(network_objects("namespaces"), 0u);
    }
}

TEST_F(NativeNetwork, WhoOnlyLooksSweepsNothing) {
    leave_endpoint("mullion-4294967292-1d9-1", false);
    hcs::nat_network();
    EXPECT_EQ(network_objects("endpoints"), 1u);
    networks_->sweep();
}

TEST_F(NativeNetwork, OthersEndpointsAreLeftAlone) {
    hcs::ContainerNetwork own(networks_, {});
    for (const char* name : {"somebody-4294967292-1d9-1", "mullion_4294967292-1d9-1"}) {
        leave_endpoint(name, false);
        networks_->sweep();
        EXPECT_EQ(network_objects("endpoints"), 2u) << name;
        api_->HcnDeleteEndpoint(GUID{0x11112222, 0, 0x4000, {0x80, 0, 0, 0, 0, 0, 0, 2}}, nullptr);
    }
}

TEST_F(NativeNetwork, AnEndpointThatCannotBeReadIsLeftAlone) {
    hcs::ContainerNetwork own(networks_, {});
    fault("Odd");
    EXPECT_NO_THROW(networks_->sweep());
    EXPECT_EQ(network_objects("endpoints"), 1u);
}

TEST_F(NativeNetwork, MomentaryFailuresAreRepeated) {
    fault("HcnCreateEndpoint", "803B0020");  // HCN_E_MANAGER_STOPPED
    fault("HcnDeleteEndpoint", "803B002C");  // HCN_E_ENTITY_HAS_REFERENCES
    hcs::ContainerNetwork network(networks_, {});
    EXPECT_EQ(network_objects("endpoints"), 1u);
}

TEST_F(NativeNetwork, AnErrorRecordBesideSuccessIsAFailure) {
    fault("Record");
    EXPECT_THROW(networks_->find("nat"), base::Error);
}

TEST_F(NativeNetwork, ARecordBesideAnyCallLeavesNothing) {
    networks_->find("");
    int failed = 0;
    for (int call = 0; call < 7; ++call) {
        for (int i = 0; i < call; ++i) fault("Record", "pass");
        fault("Record");
        try {
            hcs::ContainerNetwork network(networks_, {});
        } catch (const base::Error&) {
            ++failed;
        }
        EXPECT_EQ(network_objects("endpoints"), 0u) << call;
        EXPECT_EQ(network_objects("namespaces"), 0u) << call;
    }
    EXPECT_EQ(failed, 7);
}

TEST_F(NativeNetwork, WhatIsGoneAlreadyIsNoFailure) {
    auto network = std::make_unique<hcs::ContainerNetwork>(networks_, hcs::NetworkSpec{});
    forget_network();
    network.reset();
    EXPECT_THAT(calls(), Contains("HcnDeleteNamespace"));
}

}  // namespace
}  // namespace mullion::test
