#include "hcs/host.hpp"

#include <gmock/gmock.h>

namespace mullion::hcs {
namespace {

TEST(Host, TellsAWholeVersion) {
    EXPECT_THAT(host_facts().version, testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+"));
}

}  // namespace
}  // namespace mullion::hcs
