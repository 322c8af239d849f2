#include "oci/os_match.hpp"

#include <gmock/gmock.h>

#include "support.hpp"

namespace mullion::oci::test {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

OsVersion build(std::uint32_t number) {
    return {10, 0, number, 0};
}

// hcs.md §5: the matrix, measured with containerd's platforms (the rc.5 rule past 26100).
TEST(OsMatch, FollowsTheMatrix) {
    const std::vector<std::uint32_t> images = {14393, 17763, 18362, 19041, 20348, 22621, 25398, 26100, 26200};
    const std::vector<std::pair<std::uint32_t, std::string>> hosts = {
        {17763, ".Y......."}, {18362, "..Y......"}, {19041, "...Y....."},
        {20348, "....Y...."}, {22000, "....Y...."}, {22621, "....YY..."},
        {25398, "....YYY.."}, {26100, "....YYYY."}, {26200, "....YYYYY"}};
    for (const auto& [host, row] : hosts) {
        for (std::size_t i = 0; i < images.size(); ++i) {
            EXPECT_EQ(runs_on(build(images[i]), build(host)), row[i] == 'Y') << images[i] << " on " << host;
        }
    }
}

TEST(OsMatch, RevisionsDoNotMatterAndMajorVersionsDo) {
    EXPECT_TRUE(runs_on({10, 0, 17763, 9999}, {10, 0, 17763, 1}));
    EXPECT_FALSE(runs_on({6, 3, 20348, 0}, build(20348)));
    EXPECT_FALSE(runs_on({10, 1, 20348, 0}, build(20348)));
}

class OsChoiceTest : public testing::Test {
  protected:
    void offer(const std::string& platform) {
        index.manifests.push_back({std::string(media_type::kManifest),
                                   base::Digest::of(platform),
                                   1,
                                   {},
                                   {},
                                   Platform::parse(platform)});
    }
    std::string chosen(const std::string& wanted, OsRule rule = {}) {
        OsChoice choice = choose(index, Platform::parse(wanted), rule);
        reason = choice.reason;
        return choice.entry->platform->os_version;
    }
    base::Error refusal(const std::string& wanted, OsRule rule) {
        try {
            chosen(wanted, rule);
        } catch (const base::Error& error) {
            return error;
        }
        ADD_FAILURE() << "no error";
        return base::Error(ErrorCode::Internal, "");
    }

    Index index;
    std::string reason;
};

TEST_F(OsChoiceTest, TheHighestVersionTheHostRuns) {
    for (const char* version : {"17763.1", "20348.587", "20348.1006", "26100.1"}) {
        offer("windows(10.0." + std::string(version) + ")/amd64");
    }
    offer("linux/amd64");
    EXPECT_EQ(chosen("windows/amd64"), "10.0.26100.1");
    EXPECT_THAT(reason, HasSubstr("highest of 4"));
    EXPECT_EQ(chosen("windows/amd64", {OsMatch::Host, build(20348)}), "10.0.20348.1006");
    EXPECT_THAT(reason, HasSubstr("highest of 2 that run on Windows 10.0.20348"));
    EXPECT_EQ(chosen("windows/amd64", {OsMatch::Host, build(17763)}), "10.0.17763.1");
    EXPECT_THAT(reason, HasSubstr("only one"));
    EXPECT_EQ(chosen("windows(10.0.20348)/amd64"), "10.0.20348.587");
    EXPECT_EQ(chosen("windows(10.0.20348.587)/amd64", {OsMatch::Exact, {}}), "10.0.20348.587");
    EXPECT_EQ(chosen("windows/amd64", {OsMatch::Exact, OsVersion{10, 0, 20348, 1006}}), "10.0.20348.1006");
    // For Linux, the host's Windows means nothing.
    EXPECT_EQ(chosen("linux/amd64", {OsMatch::Host, build(17763)}), "");
}

// The failure of the field (hcs.md §5): a tag with one build that no host but its own runs.
TEST_F(OsChoiceTest, Nanoserver2004EndsInAnAnswer) {
    offer("windows(10.0.19041.1415)/amd64");
    for (std::uint32_t host : {17763u, 20348u, 26100u}) {
        base::Error error = refusal("windows/amd64", {OsMatch::Host, build(host)});
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
        EXPECT_THAT(error.what(), HasSubstr("10.0." + std::to_string(host)));
        EXPECT_THAT(error.what(), HasSubstr("windows(10.0.19041.1415)/amd64"));
        EXPECT_THAT(error.hint(), HasSubstr("another tag"));
        EXPECT_THAT(error.hint(), HasSubstr("--isolation=hyperv"));
        EXPECT_THAT(error.hint(), HasSubstr("windows(VERSION)/amd64"));
    }
    EXPECT_EQ(chosen("windows/amd64"), "10.0.19041.1415");
}

TEST_F(OsChoiceTest, AnotherRevisionIsNotExact) {
    offer("windows(10.0.20348.587)/amd64");
    EXPECT_EQ(chosen("windows(10.0.20348.1)/amd64"), "10.0.20348.587");
    base::Error error = refusal("windows(10.0.20348.1)/amd64", {OsMatch::Exact, {}});
    EXPECT_THAT(error.what(), HasSubstr("exactly"));
}

}  // namespace
}  // namespace mullion::oci::test
