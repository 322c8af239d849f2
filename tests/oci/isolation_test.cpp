#include "oci/isolation.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace mullion::oci {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

OsVersion build(std::uint32_t number, std::uint32_t revision = 1) {
    return {10, 0, number, revision};
}

WindowsHost server(std::uint32_t number, bool hyperv = true) {
    return {build(number), true, hyperv};
}

base::Error refusal(Isolation wanted, std::uint32_t image, const WindowsHost& host) {
    try {
        choose_isolation(wanted, build(image), host);
    } catch (const base::Error& error) {
        return error;
    }
    ADD_FAILURE() << "not refused";
    return base::fail(ErrorCode::Internal, "not refused");
}

// hcs.md §5: P runs under process isolation, H under Hyper-V only, - not at all.
TEST(Isolation, AutoFollowsTheMatrix) {
    constexpr std::uint32_t kImages[] = {14393, 17763, 18362, 19041, 20348, 22621, 25398, 26100, 26200};
    constexpr std::pair<std::uint32_t, const char*> kRows[] = {
        {17763, "HP-------"}, {18362, "HHP------"}, {19041, "HHHP-----"},
        {20348, "HHHHP----"}, {22000, "HHHHP----"}, {22621, "HHHHPP---"},
        {25398, "HHHHPPP--"}, {26100, "HHHHPPPP-"}, {26200, "HHHHPPPPP"},
    };
    for (auto [host, row] : kRows) {
        for (std::size_t i = 0; i < std::size(kImages); ++i) {
            char answer = '-';
            try {
                IsolationChoice choice = choose_isolation(Isolation::Auto, build(kImages[i]), server(host));
                answer = choice.isolation == Isolation::Process ? 'P' : 'H';
                EXPECT_NE(choice.reason, "");
            } catch (const base::Error& error) {
                EXPECT_EQ(error.code(), ErrorCode::Unsupported);
            }
            EXPECT_EQ(answer, row[i]) << kImages[i] << " on " << host;
        }
    }
}

TEST(Isolation, WhatIsAskedForIsGivenOrRefused) {
    EXPECT_EQ(choose_isolation(Isolation::HyperV, build(20348), server(20348)).isolation, Isolation::HyperV);
    EXPECT_EQ(choose_isolation(Isolation::Process, build(20348), server(20348)).isolation,
              Isolation::Process);
    refusal(Isolation::Process, 17763, server(20348));
    refusal(Isolation::HyperV, 20348, server(20348, false));
}

TEST(Isolation, RefusalsStateBothVersions) {
    EXPECT_THAT(refusal(Isolation::Process, 17763, server(20348)).what(),
                AllOf(HasSubstr("does not match the host operating system"), HasSubstr("10.0.17763.1"),
                      HasSubstr("10.0.20348.1")));
}

TEST(Isolation, MissingHyperVIsNoMismatch) {
    EXPECT_THAT(refusal(Isolation::HyperV, 20348, server(20348, false)).what(),
                AllOf(HasSubstr("Hyper-V is not enabled"), Not(HasSubstr("does not match"))));
}

TEST(Isolation, RefusalsSayWhatWorks) {
    EXPECT_THAT(refusal(Isolation::Process, 17763, server(20348)).hint(),
                AllOf(HasSubstr("--isolation=hyperv"), HasSubstr("ltsc2022"), Not(HasSubstr("enable"))));
    EXPECT_THAT(refusal(Isolation::Auto, 17763, server(20348, false)).hint(),
                AllOf(HasSubstr("enable Hyper-V"), HasSubstr("ltsc2022")));
    // Nothing runs a newer Windows: Hyper-V is no advice.
    EXPECT_THAT(refusal(Isolation::Auto, 26100, server(20348, false)).hint(),
                AllOf(HasSubstr("ltsc2022"), Not(HasSubstr("yper"))));
    EXPECT_THAT(refusal(Isolation::HyperV, 20348, server(20348, false)).hint(),
                HasSubstr("--isolation=process"));
}

// The failure of the field: nanoserver:2004 on a Windows Server 2019 and on a Windows Server 2022.
TEST(Isolation, Nanoserver2004EndsInAnAnswer) {
    EXPECT_THAT(refusal(Isolation::Auto, 19041, server(17763)).hint(), HasSubstr("ltsc2019"));
    EXPECT_EQ(choose_isolation(Isolation::Auto, build(19041), server(20348)).isolation, Isolation::HyperV);
}

TEST(Isolation, ClientsRunHyperVUnlessAskedForProcessIsolation) {
    WindowsHost client{build(22621), false, true};
    EXPECT_EQ(choose_isolation(Isolation::Auto, build(20348), client).isolation, Isolation::HyperV);
    client.has_hyperv = false;
    EXPECT_THAT(refusal(Isolation::Auto, 20348, client).what(), HasSubstr("clients"));
    EXPECT_THAT(refusal(Isolation::Auto, 20348, client).hint(),
                AllOf(HasSubstr("--isolation=process"), HasSubstr("enable Hyper-V"), Not(HasSubstr("ltsc"))));
    EXPECT_EQ(choose_isolation(Isolation::Process, build(22621), client).isolation, Isolation::Process);
    EXPECT_THAT(refusal(Isolation::Process, 17763, client).what(), HasSubstr("does not share the kernel"));
    EXPECT_THAT(refusal(Isolation::Auto, 26100, client).hint(),
                AllOf(HasSubstr("ltsc2022"), HasSubstr("--isolation=process")));
}

TEST(Isolation, AfterAMismatchProcessIsolationIsNoAdvice) {
    EXPECT_THAT(after_mismatch(build(20348), server(20348)),
                AllOf(HasSubstr("--isolation=hyperv"), HasSubstr("ltsc2022"), Not(HasSubstr("process"))));
    EXPECT_THAT(after_mismatch(std::nullopt, server(20348, false)), HasSubstr("enable Hyper-V"));
}

TEST(Isolation, Server2016WantsItsOwnRevision) {
    WindowsHost host{build(14393, 5), true, true};
    EXPECT_EQ(choose_isolation(Isolation::Auto, build(14393, 5), host).isolation, Isolation::Process);
    EXPECT_EQ(choose_isolation(Isolation::Auto, build(14393, 6), host).isolation, Isolation::HyperV);
}

TEST(Isolation, AnImageWithoutVersionIsTakenForTheHosts) {
    EXPECT_EQ(choose_isolation(Isolation::Auto, std::nullopt, server(17763)).isolation, Isolation::Process);
}

TEST(Isolation, TagsAreThoseTheHostShares) {
    EXPECT_EQ(image_tag_for(14393), "ltsc2016");
    EXPECT_EQ(image_tag_for(17763), "ltsc2019");
    EXPECT_EQ(image_tag_for(19041), "2004");
    EXPECT_EQ(image_tag_for(20348), "ltsc2022");
    EXPECT_EQ(image_tag_for(25398), "ltsc2022");
    EXPECT_EQ(image_tag_for(26100), "ltsc2025");
    EXPECT_EQ(image_tag_for(19045), std::nullopt);
}

TEST(Isolation, NamesAreReadBack) {
    for (Isolation isolation : {Isolation::Auto, Isolation::Process, Isolation::HyperV}) {
        EXPECT_EQ(parse_isolation(to_string(isolation)), isolation);
    }
    EXPECT_EQ(parse_isolation("default"), Isolation::Auto);
    EXPECT_THROW(parse_isolation("hyper-v"), base::Error);
}

}  // namespace
}  // namespace mullion::oci
