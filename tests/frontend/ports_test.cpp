#include "frontend/ports.hpp"

#include <gtest/gtest.h>

#include "support.hpp"

namespace mullion::frontend {
namespace {

using Ports = std::vector<std::string>;

std::string failure(std::string_view text) {
    return test::error_of([&] { parse_port(text); }).what();
}

TEST(Ports, ProtocolDefaultsToTcpAndIsLowerCase) {
    EXPECT_EQ(parse_port("80"), (Ports{"80/tcp"}));
    EXPECT_EQ(parse_port("53/UDP"), (Ports{"53/udp"}));
    EXPECT_EQ(parse_port("1/sctp"), (Ports{"1/sctp"}));
}

TEST(Ports, RangesExpandAndHostPartsAreDropped) {
    EXPECT_EQ(parse_port("80-82/tcp"), (Ports{"80/tcp", "81/tcp", "82/tcp"}));
    EXPECT_EQ(parse_port("8080:80"), (Ports{"80/tcp"}));
    EXPECT_EQ(parse_port("8000-8001:80-81"), (Ports{"80/tcp", "81/tcp"}));
    EXPECT_EQ(parse_port("8000-8009:80"), (Ports{"80/tcp"}));
    EXPECT_EQ(parse_port("127.0.0.1:8080:80"), (Ports{"80/tcp"}));
    EXPECT_EQ(parse_port("[::1]:8080:80"), (Ports{"80/tcp"}));
}

TEST(Ports, RefusesWithTheTextsOfTheReference) {
    EXPECT_EQ(failure("/tcp"), "invalid port: \"/tcp\": no port specified");
    EXPECT_EQ(failure("80/x"), "invalid proto: x");
    EXPECT_EQ(failure("abc"), "invalid containerPort: abc");
    EXPECT_EQ(failure("65536"), "invalid containerPort: 65536");
    EXPECT_EQ(failure("82-80"), "invalid containerPort: 82-80");
    EXPECT_EQ(failure("x:80"), "invalid hostPort: x");
    EXPECT_EQ(failure("1.2.3:1:80"), "invalid IP address: 1.2.3");
    EXPECT_EQ(failure("80-82:80-81"),
              "invalid ranges specified for container and host Ports: 80-81 and 80-82");
}

}  // namespace
}  // namespace mullion::frontend
