#include "oci/os_match.hpp"

#include <gmock/gmock.h>

#include "oci/isolation.hpp"
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
    std::string offered_and_chosen(const std::vector<std::uint32_t>& builds, std::uint32_t host) {
        index = {};
        for (std::uint32_t number : builds) offer(fmt::format("windows(10.0.{}.1)/amd64", number));
        return chosen("windows/amd64", {OsMatch::Auto, build(host)});
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

TEST_F(OsChoiceTest, AutoTakesTheHighestThatTheHostCanRun) {
    EXPECT_EQ(offered_and_chosen({26100, 17763, 20348}, 20348), "10.0.20348.1");
    EXPECT_THAT(reason, HasSubstr("highest of 2 that are not newer than Windows 10.0.20348"));
    EXPECT_EQ(offered_and_chosen({17763, 20348}, 26100), "10.0.20348.1");
    EXPECT_EQ(offered_and_chosen({17763, 26100}, 20348), "10.0.17763.1") << "Hyper-V runs it";
    EXPECT_THAT(reason, HasSubstr("only one"));
}

TEST_F(OsChoiceTest, AutoIsBaseWhereNothingCanRun) {
    EXPECT_EQ(offered_and_chosen({20348, 26100}, 17763), "10.0.26100.1");
    EXPECT_THAT(reason, HasSubstr("highest of 2 versions offered"));
    // A version that is asked for is meant.
    EXPECT_EQ(chosen("windows(10.0.26100)/amd64", {OsMatch::Auto, build(20348)}), "10.0.26100.1");
    EXPECT_EQ(chosen("windows/amd64", {OsMatch::Auto, {}}), "10.0.26100.1") << "of a host nobody knows";
    EXPECT_EQ(refusal("linux/amd64", {OsMatch::Auto, build(17763)}).code(), ErrorCode::NotFound);
}

TEST_F(OsChoiceTest, AutoTakesAnImageOfNoVersionBeforeOneThatIsTooNew) {
    offer("windows(10.0.26100.1)/amd64");
    offer("windows/amd64");
    EXPECT_EQ(chosen("windows/amd64", {OsMatch::Auto, build(20348)}), "");
    EXPECT_EQ(chosen("windows/amd64", {OsMatch::Auto, build(26100)}), "10.0.26100.1");
}

// How an image runs: process isolation is better than Hyper-V, and both than nothing.
int worth(Isolation wanted, std::uint32_t image, const WindowsHost& host) {
    try {
        return choose_isolation(wanted, build(image), host).isolation == Isolation::Process ? 2 : 1;
    } catch (const base::Error&) {
        return 0;
    }
}

std::vector<WindowsHost> hosts_of(std::uint32_t number) {
    std::vector<WindowsHost> hosts;
    for (bool is_server : {true, false}) {
        for (bool has_hyperv : {true, false}) hosts.push_back({build(number), is_server, has_hyperv});
    }
    return hosts;
}

TEST_F(OsChoiceTest, AutoIsTheBestForEveryIsolation) {
    const std::vector<std::uint32_t> builds = {17763, 18362, 19041, 20348, 22621, 25398, 26100, 26200};
    for (std::uint32_t number : {17763u, 18362u, 19041u, 20348u, 22000u, 22621u, 25398u, 26100u, 26200u}) {
        for (std::size_t set = 1; set < (std::size_t{1} << builds.size()); ++set) {
            std::vector<std::uint32_t> offered;
            for (std::size_t i = 0; i < builds.size(); ++i) {
                if ((set >> i & 1) != 0) offered.push_back(builds[i]);
            }
            std::uint32_t taken = OsVersion::parse(offered_and_chosen(offered, number))->build;
            for (const WindowsHost& host : hosts_of(number)) {
                for (Isolation wanted : {Isolation::Auto, Isolation::Process, Isolation::HyperV}) {
                    int best = 0;
                    for (std::uint32_t image : offered) best = std::max(best, worth(wanted, image, host));
                    ASSERT_EQ(worth(wanted, taken, host), best)
                        << taken << " of " << testing::PrintToString(offered) << " on " << number;
                }
            }
        }
    }
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
