#include "worker/agent_proxy.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <chrono>
#include <future>
#include <vector>

#include "base/error.hpp"
#include "base/file.hpp"
#include "tests/support/unix_server.hpp"

namespace mullion::worker {
namespace {

using namespace std::chrono_literals;
using test::UnixServer;
namespace fs = std::filesystem;

const std::string kRequest("\0\0\0\1\x0b", 5);
const std::string kAnswer("\0\0\0\5\x0c\0\0\0\0", 9);  // no keys
const std::string kRemoveAll("\0\0\0\1\x13", 5);
const std::string kFailure("\0\0\0\1\x05", 5);

class Client {
  public:
    explicit Client(const std::string& path) : socket_(base::connect_unix(path)) {
        EXPECT_TRUE(socket_);
        ::fcntl(socket_.get(), F_SETFL, 0);
        timeval limit{60, 0};
        ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    }
    void send(const std::string& bytes) const {
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
    // "" once the other side has closed.
    std::string receive(std::size_t size) const {
        std::string bytes(size, '\0');
        ssize_t got = ::recv(socket_.get(), bytes.data(), size, MSG_WAITALL);
        return bytes.substr(0, got < 0 ? 0 : static_cast<std::size_t>(got));
    }
    std::string ask(const std::string& bytes, std::size_t answer) const {
        send(bytes);
        return receive(answer);
    }
    bool has_answer() const {
        char byte;
        return ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 1;
    }

  private:
    base::UniqueFd socket_;
};

class AgentProxyTest : public testing::Test {
  protected:
    using Answer = std::function<std::string(const std::string&)>;

    std::string agent_path() const { return (directory_.path() / "agent").string(); }
    std::unique_ptr<UnixServer> agent(Answer answer = [](const auto&) { return kAnswer; }) const {
        return std::make_unique<UnixServer>(agent_path(), std::move(answer),
                                            UnixServer::Framing::AgentMessages);
    }
    std::unique_ptr<AgentProxy> proxy() const {
        return std::make_unique<AgentProxy>(agent_path(), directory_.path() / "sockets");
    }

  private:
    base::TempDir directory_{fs::temp_directory_path(), "proxy"};
};

TEST_F(AgentProxyTest, WhatIsRefusedDoesNotReachTheAgent) {
    std::string seen;
    auto server = agent([&](const std::string& request) {
        seen += request;
        return kAnswer;
    });
    {
        auto proxy = this->proxy();
        Client client(proxy->address());
        EXPECT_EQ(client.ask(kRemoveAll, 5), kFailure);
        EXPECT_EQ(client.ask(kRequest, 9), kAnswer);
        EXPECT_EQ(client.ask(kRemoveAll + kRequest + kRemoveAll, 19), kFailure + kAnswer + kFailure);
    }
    server.reset();
    EXPECT_EQ(seen, "\x0b\x0b");
}

TEST_F(AgentProxyTest, ConnectionsAreOpenAtTheSameTime) {
    std::promise<void> second;
    auto seen = second.get_future().share();
    std::atomic<int> requests = 0;
    auto server = agent([&](const std::string&) {
        if (++requests == 2) second.set_value();
        return seen.wait_for(60s) == std::future_status::ready ? kAnswer : "";
    });
    auto proxy = this->proxy();
    Client first(proxy->address()), other(proxy->address());
    first.send(kRequest);
    EXPECT_EQ(other.ask(kRequest, 9), kAnswer);
    EXPECT_EQ(first.receive(9), kAnswer);
}

TEST_F(AgentProxyTest, LargeAnswersArriveWholeThoughTheAgentIsGone) {
    const std::string answer = std::string("\0\4\0\0", 4) + std::string(256 * 1024, 'x');
    int requests = 0;
    auto server = agent([&](const std::string&) { return requests++ == 0 ? answer : ""; });
    auto proxy = this->proxy();
    Client client(proxy->address());
    client.send(kRequest + kRequest);
    EXPECT_EQ(client.receive(answer.size()), answer);
    EXPECT_EQ(client.receive(1), "");
}

TEST_F(AgentProxyTest, AClientThatSendsNoMessageIsDisconnectedAlone) {
    auto server = agent();
    auto proxy = this->proxy();
    Client good(proxy->address()), bad(proxy->address());
    EXPECT_EQ(bad.ask("GET / HTTP/1.1\r\n", 1), "");
    EXPECT_EQ(good.ask(kRequest, 9), kAnswer);
}

TEST_F(AgentProxyTest, AnAgentThatSendsNoMessageEndsTheConnection) {
    auto server = agent([](const auto&) { return "HTTP/1.1 200 OK\r\n"; });
    auto proxy = this->proxy();
    EXPECT_EQ(Client(proxy->address()).ask(kRequest, 1), "");
}

TEST_F(AgentProxyTest, NobodyBehindTheSocketClosesTheConnection) {
    auto proxy = this->proxy();
    EXPECT_EQ(Client(proxy->address()).ask(kRequest, 1), "");
    auto server = agent();
    EXPECT_EQ(Client(proxy->address()).ask(kRequest, 9), kAnswer);
}

TEST_F(AgentProxyTest, TooManyConnectionsWaitForOthersToEnd) {
    auto server = agent();
    auto proxy = this->proxy();
    std::vector<Client> clients;
    for (int i = 0; i < 64; ++i) EXPECT_EQ(clients.emplace_back(proxy->address()).ask(kRequest, 9), kAnswer);
    Client late(proxy->address());
    late.send(kRequest);
    std::this_thread::sleep_for(50ms);
    EXPECT_FALSE(late.has_answer());
    clients.pop_back();
    EXPECT_EQ(late.receive(9), kAnswer);
}

TEST_F(AgentProxyTest, EndsWhileAnAnswerIsDue) {
    std::promise<void> ended;
    auto go_on = ended.get_future().share();
    auto server = agent([&](const std::string&) {
        EXPECT_EQ(go_on.wait_for(60s), std::future_status::ready);
        return kAnswer;
    });
    auto proxy = this->proxy();
    std::string address = proxy->address();
    Client client(address), half(address);
    client.send(kRequest);
    half.send(kRequest.substr(0, 3));
    proxy.reset();
    ended.set_value();
    EXPECT_EQ(client.receive(1), "");
    EXPECT_EQ(half.receive(1), "");
    EXPECT_FALSE(fs::exists(fs::path(address).parent_path()));
}

TEST_F(AgentProxyTest, OnlyTheUserReachesIt) {
    auto proxy = this->proxy();
    EXPECT_EQ(fs::status(fs::path(proxy->address()).parent_path()).permissions(), fs::perms::owner_all);
}

TEST_F(AgentProxyTest, AnAgentWhosePathNoSocketCanHaveIsNamed) {
    const std::string path = "/" + std::string(107, 'a');
    try {
        AgentProxy proxy(path, fs::temp_directory_path());
        FAIL() << "no error";
    } catch (const base::Error& error) {
        EXPECT_EQ(error.code(), base::ErrorCode::Invalid);
        EXPECT_NE(std::string(error.what()).find(path), std::string::npos);
    }
}

}  // namespace
}  // namespace mullion::worker
