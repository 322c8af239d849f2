#include "hcs/launch.hpp"

#include <gmock/gmock.h>

namespace mullion::hcs {
namespace {

using testing::Contains;
using testing::Not;

TEST(EnvironmentBlock, HoldsWhatWindowsGivesEveryProcess) {
    std::vector<std::string> block = environment_block({"ContainerUser", "build-7", 4}, {});
    EXPECT_THAT(block, Contains("USERPROFILE=C:\\Users\\ContainerUser"));
    EXPECT_THAT(block, Contains("COMPUTERNAME=BUILD-7"));
    EXPECT_THAT(block, Contains("NUMBER_OF_PROCESSORS=4"));
    EXPECT_THAT(block, Contains("OS=Windows_NT"));
}

TEST(EnvironmentBlock, GivenVariablesReplaceByFoldedName) {
    std::vector<std::string> block = environment_block({"u", "h", 1}, {{"PATH", "C:\\x"}, {"my", ""}});
    EXPECT_THAT(block, Contains("PATH=C:\\x"));
    EXPECT_THAT(block, Contains("my="));
    EXPECT_THAT(block, Not(Contains(testing::StartsWith("Path="))));
}

TEST(LaunchFile, IsNulTerminatedStrings) {
    EXPECT_EQ(launch_file("C:\\", "cmd \"a\"", {"A=1"}), std::string("C:\\\0cmd \"a\"\0A=1\0", 16));
}

TEST(ComputerName, IsShortAndUpperCase) {
    EXPECT_EQ(computer_name("a-very-long-host-name"), "A-VERY-LONG-HOS");
}

}  // namespace
}  // namespace mullion::hcs
