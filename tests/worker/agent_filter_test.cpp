#include "worker/agent_filter.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"

namespace mullion::worker {
namespace {

// Numbers and layout from draft-miller-ssh-agent.
constexpr char kFailure = 5, kRequestIdentities = 11, kIdentitiesAnswer = 12, kSignRequest = 13,
               kSignResponse = 14, kRemoveAll = 19;
const std::string kRefusal("\0\0\0\1\5", 5);

std::string message(char type, const std::string& content = {}) {
    std::size_t size = content.size() + 1;
    std::string text;
    for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(size >> shift & 0xff);
    return text + type + content;
}

template <typename Body>
void expect_invalid(Body&& body) {
    try {
        body();
        ADD_FAILURE() << "no error";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Invalid);
    }
}

TEST(AgentFilter, OnlyListingAndSigningReachTheAgent) {
    for (int type = 0; type < 256; ++type) {
        AgentFilter filter;
        std::string request = message(static_cast<char>(type), "content");
        filter.from_client(request);
        bool passes = type == kRequestIdentities || type == kSignRequest;
        EXPECT_EQ(filter.to_agent, passes ? request : "") << type;
        EXPECT_EQ(filter.to_client, passes ? "" : kRefusal) << type;
    }
    EXPECT_EQ(kRefusal, message(kFailure));
}

TEST(AgentFilter, MessagesMayComeInPieces) {
    AgentFilter filter;
    std::string request = message(kSignRequest, "a key and data");
    for (char byte : request) {
        EXPECT_EQ(filter.to_agent, "");
        EXPECT_TRUE(filter.ready());
        filter.from_client({&byte, 1});
    }
    EXPECT_EQ(filter.to_agent, request);
    EXPECT_FALSE(filter.ready());
    std::string answer = message(kSignResponse, "signature");
    for (char byte : answer) {
        EXPECT_EQ(filter.to_client, "");
        filter.from_agent({&byte, 1});
    }
    EXPECT_EQ(filter.to_client, answer);
    EXPECT_FALSE(filter.ready());
    filter.to_client.clear();
    EXPECT_TRUE(filter.ready());
}

TEST(AgentFilter, SeveralAtOnceAreAnsweredInTheirOrder) {
    AgentFilter filter;
    filter.from_client(message(kRemoveAll) + message(kRequestIdentities) + message(kRemoveAll) +
                       message(kSignRequest, "data") + message(kRemoveAll).substr(0, 3));
    EXPECT_EQ(filter.to_client, kRefusal);
    EXPECT_EQ(filter.to_agent, message(kRequestIdentities));
    filter.to_client.clear();
    filter.to_agent.clear();
    filter.from_agent(message(kIdentitiesAnswer, "keys"));
    EXPECT_EQ(filter.to_client, message(kIdentitiesAnswer, "keys") + kRefusal);
    EXPECT_EQ(filter.to_agent, message(kSignRequest, "data"));
    filter.to_client.clear();
    filter.from_agent(message(kSignResponse));
    filter.from_client(message(kRemoveAll).substr(3));
    EXPECT_EQ(filter.to_client, message(kSignResponse) + kRefusal);
}

TEST(AgentFilter, TheLargestMessagePassesBothWays) {
    AgentFilter filter;
    const std::string content(AgentFilter::kMaxMessage - 1, 'x');
    filter.from_client(message(kSignRequest, content));
    EXPECT_EQ(filter.to_agent, message(kSignRequest, content));
    filter.from_agent(message(kSignResponse, content));
    EXPECT_EQ(filter.to_client, message(kSignResponse, content));
}

TEST(AgentFilter, ALengthThatNoMessageHasIsInvalidAtOnce) {
    const std::string too_long = message('x', std::string(AgentFilter::kMaxMessage, 'x')).substr(0, 4);
    for (const std::string& length : {too_long, std::string(4, '\0'), std::string(4, '\xff')}) {
        AgentFilter filter;
        expect_invalid([&] { filter.from_client(length); });
        EXPECT_EQ(filter.to_agent, "");
        AgentFilter other;
        other.from_client(message(kRequestIdentities));
        expect_invalid([&] { other.from_agent(length); });
        EXPECT_EQ(other.to_client, "");
    }
}

TEST(AgentFilter, AnAnswerThatNobodyAskedForIsInvalid) {
    AgentFilter filter;
    expect_invalid([&] { filter.from_agent("x"); });
    AgentFilter twice;
    twice.from_client(message(kRequestIdentities));
    expect_invalid([&] { twice.from_agent(message(kIdentitiesAnswer) + message(kIdentitiesAnswer)); });
    EXPECT_EQ(twice.to_client, "");
}

}  // namespace
}  // namespace mullion::worker
