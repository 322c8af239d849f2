#include "frontend/platform_title.hpp"

#include <gtest/gtest.h>

namespace mullion::frontend {
namespace {

std::string title(std::string_view platform, std::vector<std::string> assignments) {
    Environment environment;
    for (const auto& assignment : assignments) environment.set_assignment(assignment);
    return platform_title(oci::Platform::parse(platform), environment);
}

TEST(PlatformTitle, IsThePlatformWithItsVersion) {
    EXPECT_EQ(title("linux/arm64", {}), "linux/arm64");
    EXPECT_EQ(title("windows(10.0.20348.2700)/amd64", {}), "windows(10.0.20348.2700)/amd64");
}

TEST(PlatformTitle, AnArrowTellsWhatAStageBuildsFor) {
    EXPECT_EQ(title("linux/amd64", {"TARGETARCH=arm64"}), "linux/amd64->arm64");
    EXPECT_EQ(title("linux/amd64", {"TARGETARCH=arm", "TARGETVARIANT=v7"}), "linux/amd64->arm/v7");
    EXPECT_EQ(title("linux/amd64", {"TARGETPLATFORM=windows(10.0.17763.1)/amd64"}),
              "linux/amd64->windows(10.0.17763.1)/amd64");
    EXPECT_EQ(title("linux/amd64", {"TARGETOS=windows"}), "linux/amd64->windows/amd64");
}

TEST(PlatformTitle, NoArrowToTheSame) {
    EXPECT_EQ(title("linux/amd64", {"TARGETPLATFORM=linux/amd64"}), "linux/amd64");
    EXPECT_EQ(title("windows/amd64", {"TARGETOS=windows", "TARGETARCH=amd64"}), "windows/amd64");
    EXPECT_EQ(title("linux/amd64", {"TARGETPLATFORM=not/a/plat/form", "TARGETARCH="}), "linux/amd64");
}

}  // namespace
}  // namespace mullion::frontend
