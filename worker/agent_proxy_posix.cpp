#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>
#include <vector>

#include "base/error.hpp"
#include "base/log.hpp"
#include "worker/agent_filter.hpp"
#include "worker/agent_proxy.hpp"

namespace mullion::worker {
namespace {

using base::UniqueFd;

// Others wait until one of these is gone. A step has at most 16 open (hcs/emulated_pipe).
constexpr std::size_t kMaxConnections = 64;
constexpr std::size_t kChunk = 1 << 14;

bool may_go_on(ssize_t result) {
    return result > 0 || (result < 0 && (errno == EAGAIN || errno == EINTR));
}

bool send(int socket, std::string& unsent) {
    ssize_t sent = ::send(socket, unsent.data(), unsent.size(), MSG_NOSIGNAL);
    if (sent > 0) unsent.erase(0, static_cast<std::size_t>(sent));
    return may_go_on(sent);
}

// One end's turn, after poll() said what happened; false if the end is gone.
template <typename Take>
bool turn(const pollfd& end, std::string& unsent, Take&& take) {
    if ((end.revents & POLLOUT) != 0 && !send(end.fd, unsent)) return false;
    if ((end.revents & POLLIN) == 0) return (end.revents & (POLLHUP | POLLERR)) == 0;
    char chunk[kChunk];
    ssize_t size = ::recv(end.fd, chunk, sizeof chunk, 0);
    if (size > 0) take(std::string_view(chunk, static_cast<std::size_t>(size)));
    return may_go_on(size);
}

}  // namespace

struct AgentProxy::Connection {
    UniqueFd client;
    UniqueFd agent;
    AgentFilter filter = {};

    pollfd watch_client() const {
        short wanted = filter.ready() ? POLLIN : 0;
        return {client.get(), static_cast<short>(filter.to_client.empty() ? wanted : POLLOUT), 0};
    }
    // Not while the client has not taken what came last, even if the agent is gone.
    pollfd watch_agent() const {
        short wanted = filter.to_agent.empty() ? POLLIN : POLLIN | POLLOUT;
        return {filter.to_client.empty() ? agent.get() : -1, wanted, 0};
    }
    // False if it is to be closed.
    bool go_on(const pollfd& from_client, const pollfd& from_agent) {
        try {
            return turn(from_client, filter.to_client, [&](auto bytes) { filter.from_client(bytes); }) &&
                   turn(from_agent, filter.to_agent, [&](auto bytes) { filter.from_agent(bytes); });
        } catch (const base::Error& error) {
            base::log("worker").info("closing a connection to an ssh agent: {}", error.what());
            return false;
        }
    }
};

AgentProxy::AgentProxy(std::string agent, const std::filesystem::path& parent)
    : agent_(std::move(agent)), socket_(parent), stop_(::eventfd(0, EFD_CLOEXEC)) {
    if (!stop_) throw base::system_error(errno, "cannot make an eventfd");
    base::check_unix_path(agent_);
    listener_ = base::listen_unix(socket_.path());
    thread_ = std::thread([this] { run(); });
}

AgentProxy::~AgentProxy() {
    std::uint64_t one = 1;
    if (::write(stop_.get(), &one, sizeof one) > 0) thread_.join();
}

// Nothing may leave the thread. If it ends early, clients find the agent gone.
void AgentProxy::run() {
    try {
        serve();
    } catch (const std::exception& error) {
        base::log("worker").error("steps reach the ssh agent no longer: {}", error.what());
    }
    connections_.clear();
    listener_.reset();
}

void AgentProxy::serve() {
    for (;;) {
        bool room = connections_.size() < kMaxConnections;
        std::vector<pollfd> watched = {{stop_.get(), POLLIN, 0}, {room ? listener_.get() : -1, POLLIN, 0}};
        for (const Connection& connection : connections_) {
            watched.push_back(connection.watch_client());
            watched.push_back(connection.watch_agent());
        }
        if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
        if (watched[0].revents != 0) return;
        auto ends = watched.begin() + 2;
        for (auto each = connections_.begin(); each != connections_.end(); ends += 2)
            each = each->go_on(ends[0], ends[1]) ? std::next(each) : connections_.erase(each);
        if (watched[1].revents != 0) accept();
    }
}

void AgentProxy::accept() {
    UniqueFd client(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!client) return;
    UniqueFd agent = base::connect_unix(agent_);
    if (agent) connections_.push_back({std::move(client), std::move(agent)});
}

}  // namespace mullion::worker
