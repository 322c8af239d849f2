#include <gmock/gmock.h>

#include "hcs/schema.hpp"

namespace mullion::hcs {
namespace {

TEST(LayerId, IsAStableVersionFiveGuid) {
    std::string id = layer_id("f9b22d909166dd54b870eb699d54f4cf");
    EXPECT_THAT(id,
                testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_EQ(id, layer_id("f9b22d909166dd54b870eb699d54f4cf"));
    EXPECT_NE(id, layer_id("f9b22d909166dd54b870eb699d54f4ce"));
}

}  // namespace
}  // namespace mullion::hcs
