// A server behind a Unix socket, as an ssh agent is one: answers each line of each connection. Clients must
// be gone before it is.
#pragma once

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/handle.hpp"

namespace mullion::test {

class UnixServer {
  public:
    // `answer` gets a line without its end and returns what to send; "" closes the connection.
    UnixServer(const std::string& path, std::function<std::string(const std::string&)> answer)
        : answer_(std::move(answer)), listener_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
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
        std::string line;
        char c;
        while (::recv(client, &c, 1, 0) == 1) {
            if (c != '\n') {
                line += c;
                continue;
            }
            std::string text = answer_(line);
            if (text.empty()) return;
            ::send(client, text.data(), text.size(), MSG_NOSIGNAL);
            line.clear();
        }
    }

    std::function<std::string(const std::string&)> answer_;
    base::UniqueFd listener_;
    std::atomic<bool> stop_ = false;
    std::atomic<int> connections_ = 0;
    std::vector<std::thread> talks_;
    std::thread thread_;
};

}  // namespace mullion::test
