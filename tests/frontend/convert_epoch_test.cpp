// SOURCE_DATE_EPOCH (dockerfile.md §20): what it is in the graph of a build.
#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

using test::Case;
using test::operation_of;

constexpr std::string_view kText = "FROM base\nCOPY a b\nRUN x\nENV A=1";

std::vector<base::Digest> layers_with(const std::string& epoch, std::string_view text) {
    Case c;
    c.options.build_args = {{"SOURCE_DATE_EPOCH", epoch}};
    std::vector<base::Digest> digests;
    for (const auto& layer : c.convert(text).layers) digests.push_back(layer.vertex->digest());
    return digests;
}

TEST(Epoch, DoesNotDisturbCopyAndRun) {
    EXPECT_EQ(layers_with("1000", kText), layers_with("2000", kText));
    EXPECT_EQ(layers_with("1000", kText), layers_with("", kText));
}

TEST(Epoch, IsSeenByStepsThatDeclareIt) {
    const std::string_view text = "FROM base\nCOPY a b\nARG SOURCE_DATE_EPOCH\nRUN x";
    const auto before = layers_with("1000", text);
    const auto after = layers_with("2000", text);
    EXPECT_EQ(before[0], after[0]);
    EXPECT_NE(before[1], after[1]);
}

TEST(Epoch, IsTheTimeOfWorkdirsDirectories) {
    Case c;
    c.options.build_args = {{"SOURCE_DATE_EPOCH", "1000"}};
    const auto conversion = c.convert("FROM base\nWORKDIR /w\nCOPY a b");
    EXPECT_EQ(std::get<solver::FileOperation>(operation_of(conversion.layers[0])).epoch_ticks,
              base::FileTime::from_seconds(1000).ticks);
    EXPECT_EQ(std::get<solver::FileOperation>(operation_of(conversion.layers[1])).epoch_ticks,
              base::FileTime::parse_rfc3339("2024-08-10T03:04:05Z").ticks);
    EXPECT_EQ(conversion.source_date_epoch->seconds(), 1000);
}

TEST(Epoch, AnArgumentGivenBeatsTheDefault) {
    Case c;
    c.options.build_args = {{"SOURCE_DATE_EPOCH", "7"}};
    EXPECT_EQ(c.convert("ARG SOURCE_DATE_EPOCH=5\nFROM base\nENV A=1").epoch.seconds(), 7);
    EXPECT_EQ(Case().convert("ARG SOURCE_DATE_EPOCH=5\nFROM base\nENV A=1").epoch.seconds(), 5);
}

TEST(Epoch, BadOnesAreQuoted) {
    for (const char* bad : {"soon", "-1", "1.5", "99999999999999", " 1"}) {
        Case c;
        c.options.build_args = {{"SOURCE_DATE_EPOCH", bad}};
        EXPECT_EQ(std::string(test::error_of([&] { c.convert("FROM base"); }).what()),
                  std::string("invalid SOURCE_DATE_EPOCH: ") + bad);
    }
}

}  // namespace
}  // namespace mullion::frontend
