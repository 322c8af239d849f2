#include "oci/registry_auth.hpp"

#include <gtest/gtest.h>

namespace mullion::oci {
namespace {

TEST(AuthChallenge, ReadsSchemesWithTheirParameters) {
    auto challenges = parse_challenges(
        R"(Bearer realm="https://auth.example/token",service="registry.example",scope="repository:a/b:pull,push")");
    ASSERT_EQ(challenges.size(), 1u);
    EXPECT_EQ(challenges[0].scheme, "bearer");
    EXPECT_EQ(challenges[0].parameters.at("realm"), "https://auth.example/token");
    EXPECT_EQ(challenges[0].parameters.at("service"), "registry.example");
    EXPECT_EQ(challenges[0].parameters.at("scope"), "repository:a/b:pull,push");
}

// RFC 9110 §11.6.1 has this header.
TEST(AuthChallenge, ReadsSeveralOfOneHeader) {
    auto challenges =
        parse_challenges(R"(Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"")");
    ASSERT_EQ(challenges.size(), 2u);
    EXPECT_EQ(challenges[0].scheme, "basic");
    EXPECT_EQ(challenges[0].parameters.at("realm"), "simple");
    EXPECT_EQ(challenges[1].scheme, "newauth");
    EXPECT_EQ(challenges[1].parameters.at("type"), "1");
    EXPECT_EQ(challenges[1].parameters.at("title"), R"(Login to "apps")");
}

TEST(AuthChallenge, NonsenseIsLeftOut) {
    EXPECT_TRUE(parse_challenges("").empty());
    EXPECT_TRUE(parse_challenges(" , ,").empty());
    EXPECT_EQ(parse_challenges("Basic realm=\"open").size(), 1u);
    EXPECT_TRUE(parse_challenges("\"quoted\"").empty());
    EXPECT_LE(parse_challenges(std::string(100'000, 'a') + ",").size(), 1u);
    std::string many;
    for (int i = 0; i < 10'000; ++i) many += "Basic, ";
    EXPECT_LE(parse_challenges(many).size(), 16u);
}

}  // namespace
}  // namespace mullion::oci
