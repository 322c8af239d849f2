// A socket that leads to an ssh agent, but lets through only what AgentFilter does: what steps get of the
// user's agent.
#pragma once

#include <filesystem>
#include <list>
#include <string>
#include <thread>

#include "base/handle.hpp"
#include "base/unix_socket.hpp"

namespace mullion::worker {

class AgentProxy {
  public:
    // Listens from now on; each connection gets one of its own to `agent`, the path of a Unix socket, and is
    // closed if nobody answers there. The socket is made below `parent`. Throws Invalid if `agent` is too
    // long for the path of a socket, Io.
    AgentProxy(std::string agent, const std::filesystem::path& parent);
    // Closes all connections.
    ~AgentProxy();
    AgentProxy(const AgentProxy&) = delete;
    AgentProxy& operator=(const AgentProxy&) = delete;

    const std::string& address() const { return socket_.path(); }

  private:
    struct Connection;

    void run();
    void serve();
    void accept();

    std::string agent_;
    base::TempSocket socket_;
    base::UniqueFd listener_;
    base::UniqueFd stop_;  // an eventfd
    std::list<Connection> connections_;
    std::thread thread_;
};

}  // namespace mullion::worker
