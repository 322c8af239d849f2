#include "worker/credentials.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace mullion::worker {
namespace {

using Secrets = std::map<std::string, std::string>;
using testing::Optional;
using testing::Pair;

TEST(Credentials, FileServersGetHeadersAndBearerTokens) {
    EXPECT_EQ(http_authorization({{"HTTP_AUTH_TOKEN_a.example", "t"}}, "https://a.example/x"), "Bearer t");
    EXPECT_EQ(http_authorization({{"HTTP_AUTH_HEADER_a.example", "Basic eA=="}}, "https://A.example/x?y"),
              "Basic eA==");
    Secrets both = {{"HTTP_AUTH_HEADER_a.example", "h"}, {"HTTP_AUTH_TOKEN_a.example", "t"}};
    EXPECT_EQ(http_authorization(both, "https://a.example"), "h");
}

TEST(Credentials, AreForTheHostTheyName) {
    Secrets secrets = {{"HTTP_AUTH_TOKEN_a.example", "t"}, {"HTTP_AUTH_TOKEN_b.example:8080", "p"}};
    EXPECT_EQ(http_authorization(secrets, "https://a.example:444/x"), "Bearer t");
    EXPECT_EQ(http_authorization(secrets, "http://b.example:8080/x"), "Bearer p");
    for (const char* other :
         {"https://b.example/x", "https://sub.a.example/x", "https://a.example.org",
          "https://c.example/?a.example", "https://user@a.example/x", "ssh://a.example/x"})
        EXPECT_EQ(http_authorization(secrets, other), std::nullopt) << other;
}

TEST(Credentials, GitGetsThemAsConfigurationOfTheRemote) {
    // printf x-access-token:t | base64
    const std::string token = "Authorization: basic eC1hY2Nlc3MtdG9rZW46dA==";
    EXPECT_THAT(git_authorization({{"GIT_AUTH_TOKEN", "t\n"}}, "https://a.example/x.git"),
                Optional(Pair("http.https://a.example/x.git.extraHeader", token)));
    EXPECT_THAT(git_authorization({{"GIT_AUTH_HEADER", "Bearer z"}}, "https://github.com/a/b.git"),
                Optional(Pair("http.https://github.com/.extraHeader", "Authorization: Bearer z")));
    Secrets by_host = {{"GIT_AUTH_TOKEN", "any"}, {"GIT_AUTH_TOKEN.a.example", "t"}};
    EXPECT_THAT(git_authorization(by_host, "https://a.example/x.git"), Optional(Pair(testing::_, token)));
    EXPECT_THAT(git_authorization({{"GIT_AUTH_TOKEN.b.example", "t"}}, "https://a.example/x.git"),
                std::nullopt);
    EXPECT_THAT(git_authorization(by_host, "ssh://git@a.example/x.git"), std::nullopt);
}

TEST(Credentials, WhatNoHeaderCanHoldIsRefusedWithoutShowingIt) {
    try {
        http_authorization({{"HTTP_AUTH_TOKEN_a.example", "one\r\nHost: evil"}}, "https://a.example/");
        ADD_FAILURE();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Invalid);
        EXPECT_STREQ(error.what(),
                     "secret HTTP_AUTH_TOKEN_a.example: what is in it cannot be a header of HTTP");
    }
}

}  // namespace
}  // namespace mullion::worker
