#include "hcs/host.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace mullion::hcs {
namespace {

TEST(Host, TellsAWholeVersion) {
    std::string version = host_facts().version;
    unsigned part[4];
    int end = 0;
    std::sscanf(version.c_str(), "%u.%u.%u.%u%n", part, part + 1, part + 2, part + 3, &end);
    EXPECT_EQ(static_cast<std::size_t>(end), version.size()) << version;
    EXPECT_GE(part[0], 6u);
}

}  // namespace
}  // namespace mullion::hcs
