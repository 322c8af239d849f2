// A server behind a Unix socket, as an ssh agent is one: answers each request of each connection. Clients
// must be gone before it is.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/handle.hpp"

namespace mullion::test {

class UnixServer {
  public:
    // A line, or a message of ssh agents, a uint32 of its length before it.
    enum class Framing { Lines, AgentMessages };

    // `answer` gets a line without its end, or a message without its length, and returns what to send as it
    // is;
    // "" closes the connection.
    UnixServer(const std::string& path, std::function<std::string(const std::string&)> answer,
               Framing framing = Framing::Lines)
        : answer_(std::move(answer)),
          framing_(framing),
          listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        path.copy(address.sun_path, sizeof address.sun_path - 1);
        if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) std::abort();
        if (::listen(listener_.get(), 16) != 0) std::abort();
        thread_ = std::thread([this] { serve(); });
    }
    ~UnixServer() {
        stop_ = true;
        thread_.join();
    }

    int connections() const { return connections_; }

  private:
    void serve() {
        while (!stop_) {
            pollfd watched{listener_.get(), POLLIN, 0};
            if (::poll(&watched, 1, 20) <= 0) continue;
            base::UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
            ++connections_;
            talks_.emplace_back([this, client = std::move(client)] { talk(client.get()); });
        }
        for (std::thread& talk : talks_) talk.join();
    }
    void talk(int client) {
        auto next = [&] { return framing_ == Framing::Lines ? read_line(client) : read_message(client); };
        while (std::optional<std::string> request = next()) {
            std::string text = answer_(*request);
            if (text.empty()) return;
            ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
        }
    }
    static std::optional<std::string> read_line(int client) {
        std::string line;
        char c;
        while (::recv(client, &c, 1, 0) == 1) {
            if (c == '\n') return line;
            line += c;
        }
        return std::nullopt;
    }
    static std::optional<std::string> read_message(int client) {
        unsigned char length[4];
        if (::recv(client, length, sizeof length, MSG_WAITALL) != sizeof length) return std::nullopt;
        std::string message(std::size_t{length[0]} << 24 | length[1] << 16 | length[2] << 8 | length[3],
                            '\0');
        auto size = static_cast<ssize_t>(message.size());
        if (::recv(client, message.data(), message.size(), MSG_WAITALL) != size) return std::nullopt;
        return message;
    }

    std::function<std::string(const std::string&)> answer_;
    Framing framing_;
    base::UniqueFd listener_;
    std::atomic<bool> stop_ = false;
    std::atomic<int> connections_ = 0;
    std::vector<std::thread> talks_;
    std::thread thread_;
};

}  // namespace mullion::test
