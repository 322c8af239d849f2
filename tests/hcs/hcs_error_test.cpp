#include "hcs/hcs_error.hpp"

#include <gmock/gmock.h>

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// hcs.md §1.5: image mismatch is 0x80370101 of computecore and 0xC0370101 of vmcompute (as Docker prints it).
TEST(Hresult, BothFamiliesAreOneCondition) {
    for (std::uint32_t value : {0x80370101u, 0xC0370101u}) {
        Hresult result(value);
        EXPECT_TRUE(result.is(HcsError::ImageMismatch));
        EXPECT_FALSE(result.is(HcsError::HyperVNotInstalled));
        EXPECT_EQ(result.code(), ErrorCode::Unsupported);
    }
    EXPECT_THAT(Hresult(0xC0370101).describe(), HasSubstr("(0xC0370101)"));
}

TEST(Hresult, OnlyTheSeverityBitMakesAFailure) {
    EXPECT_FALSE(Hresult(0).failed());
    EXPECT_FALSE(Hresult(1).failed());
    EXPECT_TRUE(Hresult(0x80370101).failed());
    EXPECT_TRUE(Hresult(0xC0370101).failed());
}

TEST(Hresult, Win32CodesAreTheLowHalf) {
    EXPECT_EQ(Hresult(0x80070015).win32(), 21u);
    EXPECT_EQ(Hresult(0x80370101).win32(), std::nullopt);
    EXPECT_EQ(Hresult::of_win32(1167).value(), 0x8007048Fu);
    EXPECT_EQ(Hresult::of_win32(0).value(), 0u);
    EXPECT_TRUE(Hresult(0x80070490).is_win32(1168));
}

struct HandlingCase {
    std::uint32_t value;
    HcsHandling handling;
};

TEST(Hresult, HandlingFollowsTheTable) {
    for (const HandlingCase& known : std::initializer_list<HandlingCase>{
             {0x80370117, HcsHandling::KeepWaiting},  // OPERATION_PENDING
             {0x80370118, HcsHandling::KeepWaiting},  // OPERATION_TIMEOUT
             {0x8037010E, HcsHandling::AlreadyGone},  // SYSTEM_NOT_FOUND
             {0x80370110, HcsHandling::AlreadyGone},  // SYSTEM_ALREADY_STOPPED
             {0xC0370110, HcsHandling::AlreadyGone},
             {0x8037011F, HcsHandling::AlreadyGone},  // PROCESS_ALREADY_STOPPED
             {0x80070490, HcsHandling::AlreadyGone},  // element not found
             {0x803B0002, HcsHandling::AlreadyGone},  // HCN_E_ENDPOINT_NOT_FOUND
             {0x80070015, HcsHandling::Transient},    // NOT_READY
             {0x8007048F, HcsHandling::Transient},    // DEVICE_NOT_CONNECTED
             {0x80070020, HcsHandling::Transient},    // SHARING_VIOLATION
             {0x80370101, HcsHandling::Fatal},        // IMAGE_MISMATCH
             {0x80370105, HcsHandling::Fatal},        // INVALID_STATE
             {0x80070005, HcsHandling::Fatal},        // ACCESS_DENIED
             {0x8BADF00D, HcsHandling::Fatal},
         }) {
        EXPECT_EQ(Hresult(known.value).handling(), known.handling) << std::hex << known.value;
    }
}

// Names of winerror.h, which whoever looks for them finds.
TEST(Hresult, ConditionsOfNetworksHaveTheirNames) {
    for (auto [value, name] : {std::pair{0x803B0013u, "HCN_E_PORT_ALREADY_EXISTS"},
                               {0x803B0015u, "HCN_E_REQUEST_UNSUPPORTED"},
                               {0x803B0016u, "HCN_E_MAPPING_NOT_SUPPORTED"},
                               {0x803B001Eu, "HCN_E_INVALID_IP"},
                               {0x803B0020u, "HCN_E_MANAGER_STOPPED"},
                               {0x803B002Au, "HCN_E_ICS_DISABLED"},
                               {0x803B002Bu, "HCN_E_ENDPOINT_NAMESPACE_ALREADY_EXISTS"},
                               {0x803B002Cu, "HCN_E_ENTITY_HAS_REFERENCES"},
                               {0x803B0034u, "HCN_E_ENDPOINT_NOT_ATTACHED"}}) {
        EXPECT_THAT(Hresult(value).describe(), HasSubstr(std::string(name) + ": ")) << std::hex << value;
    }
}

// hcs.md §1.5: the "not supported" set.
TEST(Hresult, WhatTheHostDoesNotKnowIsUnsupported) {
    for (std::uint32_t value : {0x8037010Du, 0xC037010Du, 0x8007000Du, 0x80070032u, 0x8037010Bu}) {
        EXPECT_EQ(Hresult(value).code(), ErrorCode::Unsupported) << std::hex << value;
    }
}

TEST(Hresult, UnknownValuesKeepTheirNumber) {
    EXPECT_EQ(Hresult(0x8BADF00D).describe(), "HRESULT 0x8BADF00D");
    EXPECT_EQ(Hresult(0x8BADF00D).code(), ErrorCode::Io);
}

TEST(HcsFailure, SaysWhatFailedAndWhatTheHostSaid) {
    base::Error error = hcs_failure(
        Hresult(0x8037010D), "cannot create compute system one",
        R"({"Error":-2143878899,"ErrorMessage":"Unknown member","ErrorEvents":[{"Message":"$.Container.Foo"},)"
        R"({"Message":"$.Container.Foo"}],"Attribution":[]})");
    EXPECT_STREQ(
        error.what(),
        "cannot create compute system one: HCS_E_INVALID_JSON: the document is invalid (0x8037010D): "
        "Unknown member; $.Container.Foo");
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_NE(error.hint(), "");
    EXPECT_EQ(hresult_of(error)->value(), 0x8037010Du);
}

TEST(HcsFailure, DocumentsThatAreNoJsonAreShownAndBounded) {
    EXPECT_THAT(hcs_failure(Hresult(0x80370106), "x", "out of luck").what(), HasSubstr("out of luck"));
    std::string text = hcs_failure(Hresult(0x80370106), "x", std::string(100'000, 'y')).what();
    EXPECT_LT(text.size(), 5000u);
    EXPECT_THAT(hcs_failure(Hresult(0x80370106), "x").what(), testing::EndsWith("(0x80370106)"));
}

TEST(HcsFailure, MissingFeaturesNameTheFeature) {
    EXPECT_THAT(Hresult(0x80370102).hint(), AllOf(HasSubstr("Hyper-V"), HasSubstr("--isolation=process")));
    EXPECT_THAT(Hresult(0x80370114).hint(), AllOf(HasSubstr("Containers"), Not(HasSubstr("Hyper-V"))));
}

TEST(HcsFailure, OtherErrorsHaveNoHresult) {
    EXPECT_EQ(hresult_of(base::fail(ErrorCode::Io, "x")), std::nullopt);
    EXPECT_EQ(hresult_of(base::system_error(2, "x")), std::nullopt);
}

}  // namespace
}  // namespace mullion::hcs
