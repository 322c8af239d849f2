// What networks the emulation gives.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "base/error.hpp"
#include "base/handle.hpp"
#include "tests/hcs/emulated_backend.hpp"
#include "tests/support/errors.hpp"

namespace mullion::test {
namespace {

using base::ErrorCode;
using testing::HasSubstr;

class EmulatedNetwork : public HcsConformance {};
INSTANTIATE_TEST_SUITE_P(Emulated, EmulatedNetwork, testing::Values(emulated_backend()),
                         [](const auto& parameter) { return parameter.param.name; });

std::unique_ptr<hcs::ComputeService> networked_service() {
    hcs::EmulationOptions options = emulation_options();
    options.allow_host_network = true;
    return hcs::make_emulated_compute_service(options);
}

// Has a TCP port of loopback.
class Listener {
  public:
    Listener() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof own;
        auto* address = reinterpret_cast<sockaddr*>(&own);
        bool listens = ::bind(socket_.get(), address, size) == 0 && ::listen(socket_.get(), 1) == 0 &&
                       ::getsockname(socket_.get(), address, &size) == 0;
        EXPECT_TRUE(listens);
        port_ = ntohs(own.sin_port);
    }
    std::uint16_t port() const { return port_; }

  private:
    base::UniqueFd socket_;
    std::uint16_t port_ = 0;
};

hcs::PortMapping published(std::uint16_t port) {
    return {6, port, port, ""};
}

TEST(EmulatedNetworks, OnlyWhatWorksIsAccepted) {
    auto service = networked_service();
    auto refused = [&](hcs::NetworkSpec spec, const char* word) {
        spec.mode = hcs::NetworkMode::Nat;
        for (bool make : {false, true}) {
            try {
                make ? (void)service->networking(spec) : service->check_network(spec);
                ADD_FAILURE() << word;
            } catch (const base::Error& error) {
                EXPECT_EQ(error.code(), ErrorCode::Unsupported);
                EXPECT_THAT(error.what(), HasSubstr(word));
            }
        }
    };
    hcs::HostNetwork definition;
    definition.name = "corp";
    refused({.name = "corp", .definition = definition}, "CNI configuration (network corp)");
    refused({.name = "corp"}, "no network corp");
    refused({.mtu = 1400}, "MTU");
    refused({.dns = {"corp.example", {}, {}}}, "DNS domains");
    refused({.dns = {"", {}, {"10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"}}}, "3 DNS servers, not 4");
    refused({.ports = {{6, 8000, 8080, ""}}}, "publish it as 8000:8000");
    refused({.ports = {{17, 8080, 8080, "127.0.0.1"}}}, "confine a port to 127.0.0.1");
    EXPECT_NO_THROW(service->check_network({.mode = hcs::NetworkMode::Host, .ports = {published(48080)}}));
}

TEST(EmulatedNetworks, PublishedPortsMustBeFree) {
    auto service = networked_service();
    Listener listener;
    hcs::NetworkSpec spec{.mode = hcs::NetworkMode::Nat, .ports = {published(listener.port())}};
    try {
        service->networking(spec);
        FAIL();
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::Exists);
        EXPECT_THAT(error.what(), HasSubstr(std::to_string(listener.port())));
    }
    spec.ports[0].protocol = 17;
    EXPECT_TRUE(service->networking(spec));
}

// Answers every question for an IPv4 address with 127.0.0.9.
class NameServer {
  public:
    NameServer() : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_port = htons(53);
        ::inet_pton(AF_INET, kAddress, &own.sin_addr);
        if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&own), sizeof own) != 0) socket_.reset();
        if (socket_) thread_ = std::thread([this] { serve(); });
    }
    ~NameServer() {
        if (!thread_.joinable()) return;
        ::shutdown(socket_.get(), SHUT_RDWR);
        thread_.join();
    }
    bool works() const { return static_cast<bool>(socket_); }

    static constexpr const char* kAddress = "127.0.53.53";

  private:
    void serve() {
        char data[512];
        sockaddr_in client{};
        socklen_t length = sizeof client;
        ssize_t size;
        while ((size = ::recvfrom(socket_.get(), data, sizeof data, 0, reinterpret_cast<sockaddr*>(&client),
                                  &length)) > 12) {
            std::string answer = reply(std::string(data, static_cast<std::size_t>(size)));
            ::sendto(socket_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&client),
                     length);
            length = sizeof client;
        }
    }
    // RFC 1035 §4.1: header, the question again, for type A a record that points at its name.
    static std::string reply(const std::string& query) {
        std::size_t end = query.find('\0', 12) + 5;
        bool wants_address = query[end - 3] == 1;
        std::string answer = query.substr(0, 2) + std::string("\x84\x00\x00\x01\x00", 5);
        answer += wants_address ? '\1' : '\0';
        answer += std::string(4, '\0') + query.substr(12, end - 12);
        if (wants_address) {
            answer += std::string("\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x00\x00\x04\x7f\x00\x00\x09", 16);
        }
        return answer;
    }

    base::UniqueFd socket_;
    std::thread thread_;
};

TEST_P(EmulatedNetwork, IsOfferedOnlyWhenAllowed) {
    EXPECT_EQ(code_of([&] { backend_.compute->networking({hcs::NetworkMode::Nat}); }),
              ErrorCode::Unsupported);
    auto service = networked_service();
    hcs::ComputeSystemDocument with_network = document();
    with_network.Container.Networking = service->networking({hcs::NetworkMode::Nat});
    auto system = service->create("net", with_network, {});
    system->start({});
    base::StringSink out, err;
    auto process = system->create_process(command("cmd /C ver"), {nullptr, &out, &err}, {});
    EXPECT_EQ(process->wait(std::nullopt, {}).ExitCode, 0u);
}

TEST_P(EmulatedNetwork, NamesAreAskedOfTheDnsServersGiven) {
    NameServer server;
    if (!server.works()) GTEST_SKIP() << "port 53 is not ours";
    auto service = networked_service();
    hcs::ComputeSystemDocument with_dns = document();
    with_dns.Container.Networking =
        service->networking({.mode = hcs::NetworkMode::Nat, .dns = {"", {}, {NameServer::kAddress}}});
    auto system = service->create("dns", with_dns, {});
    system->start({});
    base::StringSink out, err;
    auto process =
        system->create_process(command("ping -n 1 anything.mullion.test"), {nullptr, &out, &err}, {});
    process->wait(std::nullopt, {});
    process.reset();
    EXPECT_THAT(out.data(), HasSubstr("[127.0.0.9]"));
    // A namespace is for one system.
    with_dns.Container.Storage.Path = document().Container.Storage.Path;
    EXPECT_EQ(code_of([&] { service->create("again", with_dns, {}); }), ErrorCode::Unsupported);
}

}  // namespace
}  // namespace mullion::test
