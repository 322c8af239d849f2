#include "cli/transfer_text.hpp"

#include <gtest/gtest.h>

#include "tests/cli/display_events.hpp"

namespace mullion::cli {
namespace {

const std::string kDigest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

base::StatusEvent transfer(std::int64_t current, std::int64_t total, bool done = false) {
    return test::status("vertex", kDigest, 0, current, total, done);
}

TEST(TransferText, HasABarBytesAndARate) {
    EXPECT_EQ(transfer_text(transfer(12'300'000, 30'000'000), 2, 80),
              "sha256:e3b0c442  [####      ]  12.30MB / 30.00MB  6.15MB/s");
    EXPECT_EQ(transfer_text(transfer(0, 30'000'000), 2, 80), "sha256:e3b0c442  [          ]  0B / 30.00MB");
}

TEST(TransferText, TheBarIsFullWhenAllHasCome) {
    EXPECT_EQ(transfer_text(transfer(999, 1000), 0, 80), "sha256:e3b0c442  [######### ]  999B / 1.00kB");
    EXPECT_EQ(transfer_text(transfer(1000, 1000), 0, 80), "sha256:e3b0c442  [##########]  1.00kB / 1.00kB");
    EXPECT_EQ(transfer_text(transfer(2000, 1000), 0, 80), "sha256:e3b0c442  [##########]  2.00kB / 1.00kB");
}

TEST(TransferText, TheBarIsLeftOutWhereItDoesNotFit) {
    EXPECT_EQ(transfer_text(transfer(500, 1000), 0, 45), "sha256:e3b0c442  [#####     ]  500B / 1.00kB");
    EXPECT_EQ(transfer_text(transfer(500, 1000), 0, 43), "sha256:e3b0c442  500B / 1.00kB");
}

TEST(TransferText, SaysHowItEnded) {
    EXPECT_EQ(transfer_text(transfer(1000, 1000, true), 1, 80), "sha256:e3b0c442  done");
    EXPECT_EQ(transfer_text(transfer(10, 1000, true), 1, 80), "sha256:e3b0c442  stopped");
    base::StatusEvent mounted = transfer(0, 1000, true);
    mounted.name = "mounted";
    EXPECT_EQ(transfer_text(mounted, 1, 80), "sha256:e3b0c442  mounted");
}

TEST(TransferText, SizesThatAreNotKnownHaveNoBar) {
    EXPECT_EQ(transfer_text(transfer(0, 0), 1, 80), "sha256:e3b0c442");
    EXPECT_EQ(transfer_text(transfer(1500, 0), 1, 80), "sha256:e3b0c442  1.50kB");
}

TEST(TransferText, ShortensDigestsOnly) {
    EXPECT_EQ(short_digests("pushing " + kDigest + " to " + kDigest + "!"),
              "pushing sha256:e3b0c442 to sha256:e3b0c442!");
    EXPECT_EQ(short_digests("sha256:abc"), "sha256:abc");
    EXPECT_EQ(short_digests("exporting layers"), "exporting layers");
}

}  // namespace
}  // namespace mullion::cli
