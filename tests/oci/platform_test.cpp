#include "oci/platform.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::oci {
namespace {

using test::failure;

TEST(Platform, ParsesOsArchitectureVariant) {
    Platform platform = Platform::parse("linux/arm64/v8");
    EXPECT_EQ(platform.os, "linux");
    EXPECT_EQ(platform.architecture, "arm64");
    EXPECT_EQ(platform.variant, "v8");
    EXPECT_EQ(platform.string(), "linux/arm64/v8");
}

TEST(Platform, ParsesVersionAndFeatures) {
    Platform platform = Platform::parse("windows(10.0.17763+win32k)/amd64");
    EXPECT_EQ(platform.os, "windows");
    EXPECT_EQ(platform.os_version, "10.0.17763");
    EXPECT_EQ(platform.os_features, std::vector<std::string>{"win32k"});
    EXPECT_EQ(platform.architecture, "amd64");
    EXPECT_EQ(platform.string(), "windows(10.0.17763+win32k)/amd64");
    EXPECT_EQ(platform.string_without_version(), "windows/amd64");
    EXPECT_EQ(Platform::parse("windows(+win32k)/amd64").string(), "windows(+win32k)/amd64");
    EXPECT_EQ(Platform::parse("windows(10.0.20348.2700)/amd64").os_version, "10.0.20348.2700");
}

// The table in containerd's package documentation.
TEST(Platform, NormalisesAliases) {
    struct Case {
        const char* text;
        const char* expected;
    };
    for (const Case& c : std::initializer_list<Case>{{"linux/aarch64", "linux/arm64"},
                                                     {"linux/armhf", "linux/arm"},
                                                     {"linux/armel", "linux/arm/v6"},
                                                     {"linux/i386", "linux/386"},
                                                     {"linux/x86_64", "linux/amd64"},
                                                     {"Linux/x86-64", "linux/amd64"},
                                                     {"macos/arm64", "darwin/arm64"},
                                                     {"linux/arm/7", "linux/arm/v7"},
                                                     {"linux/arm/v6", "linux/arm/v6"},
                                                     {"linux/amd64/v1", "linux/amd64"},
                                                     {"linux/amd64/v2", "linux/amd64/v2"}}) {
        EXPECT_EQ(Platform::parse(c.text).string(), c.expected) << c.text;
    }
}

TEST(Platform, OneComponentIsAnOsOrAnArchitecture) {
    EXPECT_EQ(Platform::parse("windows").string(), "windows/amd64");
    EXPECT_EQ(Platform::parse("linux").string(), "linux/amd64");
    EXPECT_EQ(Platform::parse("arm64").string(), "windows/arm64");
    EXPECT_EQ(Platform::parse("windows(10.0.20348)").string(), "windows(10.0.20348)/amd64");
}

TEST(Platform, RefusesWhatIsNoPlatform) {
    for (const char* text :
         {"", "foo", "windows/", "/amd64", "windows/amd64/v1/x", "windows(10.0/amd64", "win dows/amd64",
          "windows()x/amd64", "windows(10.0.a)/amd64", "windows/am*d64", "*", "windows(1++2)/amd64",
          "windows(1.2.3.4.5)/amd64", "windows(10.0.99999999999)/amd64"}) {
        test::Failure error = failure([&] { Platform::parse(text); });
        EXPECT_EQ(error.code, base::ErrorCode::Invalid) << text;
        EXPECT_EQ(error.text.rfind("failed to parse platform " + std::string(text) + ": ", 0), 0u)
            << error.text;
    }
    EXPECT_LT(failure([] { Platform::parse(std::string(100'000, 'a')); }).text.size(), 1000u);
}

TEST(OsVersion, ComparesAsNumbers) {
    EXPECT_LT(OsVersion::parse("10.0.20348.587"), OsVersion::parse("10.0.20348.1006"));
    EXPECT_EQ(OsVersion::parse("10.0.17763"), OsVersion::parse("10.0.17763.0"));
    EXPECT_TRUE(OsVersion::parse("10.0.17763.1")->same_build(*OsVersion::parse("10.0.17763.2")));
}

TEST(OsVersion, RefusesOtherTexts) {
    for (const char* text :
         {"", ".", "10.", "10.0.", "a", "10.0.1.2.3", "10.-1", "10.+1", "4294967296", "10 .0"}) {
        EXPECT_FALSE(OsVersion::parse(text)) << text;
    }
}

bool serves(const char* offered, const char* wanted) {
    return satisfies(Platform::parse(offered), Platform::parse(wanted));
}

TEST(Satisfies, ComparesNormalisedOsAndArchitecture) {
    EXPECT_TRUE(serves("linux/arm64/v8", "linux/arm64"));
    EXPECT_TRUE(serves("linux/x86_64", "linux/amd64"));
    EXPECT_TRUE(serves("linux/arm/v7", "linux/arm"));
    EXPECT_FALSE(serves("linux/arm/v6", "linux/arm"));
    EXPECT_FALSE(serves("linux/amd64", "windows/amd64"));
    EXPECT_FALSE(serves("windows/arm64", "windows/amd64"));
}

TEST(Satisfies, ComparesTheBuildOnlyIfBothNameOne) {
    EXPECT_TRUE(serves("windows(10.0.20348.1)/amd64", "windows(10.0.20348.2)/amd64"));
    EXPECT_TRUE(serves("windows(10.0.20348.1)/amd64", "windows(10.0.20348)/amd64"));
    EXPECT_FALSE(serves("windows(10.0.17763.1)/amd64", "windows(10.0.20348.1)/amd64"));
    EXPECT_TRUE(serves("windows(10.0.17763.1)/amd64", "windows/amd64"));
    EXPECT_TRUE(serves("windows/amd64", "windows(10.0.17763.1)/amd64"));
}

TEST(Satisfies, AnImageMayAskOnlyForFeaturesOfTheRequest) {
    EXPECT_TRUE(serves("windows(10.0.1+win32k)/amd64", "windows/amd64"));
    EXPECT_FALSE(serves("windows(10.0.1+gpu)/amd64", "windows/amd64"));
    EXPECT_TRUE(serves("windows(10.0.1+gpu)/amd64", "windows(+gpu+other)/amd64"));
}

}  // namespace
}  // namespace mullion::oci
