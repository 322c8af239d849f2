#include "hcs/emulated_pipe.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.hpp"
#include "base/unix_socket.hpp"
#include "hcs/launch.hpp"
#include "hcs/pipe.hpp"

namespace mullion::hcs {
namespace {

using base::ErrorCode;
using base::UniqueFd;
using namespace std::chrono_literals;

// As in hcs/guest/pipe.c.
constexpr std::uint32_t kReady = 'r';
constexpr std::uint32_t kOpen = 'o';
constexpr std::uint32_t kData = 'd';
constexpr std::uint32_t kClose = 'c';
constexpr std::size_t kFrameLimit = 1 << 14;
constexpr std::size_t kMostConnections = 16;

// What waits for one side that does not read. Requests to an agent are far smaller.
constexpr std::size_t kUnsentLimit = 1 << 20;
constexpr auto kStartLimit = 60s;
constexpr auto kPollInterval = 50ms;  // for cancellation, while starting

struct Header {
    std::uint32_t kind;
    std::uint32_t connection;
    std::uint32_t size;
};

bool may_go_on(ssize_t result) {
    return result > 0 || (result < 0 && (errno == EAGAIN || errno == EINTR));
}

}  // namespace

EmulatedPipe::EmulatedPipe(const std::shared_ptr<Box>& box, std::uint32_t process, const MappedPipe& pipe,
                           const base::CancelToken& cancel)
    : socket_path_(pipe.HostPath), stop_(::eventfd(0, EFD_CLOEXEC)) {
    if (!stop_) throw base::system_error(errno, "cannot make an eventfd");
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
    if (!null) throw base::system_error(errno, "cannot open /dev/null");
    box->spawn(std::to_string(process), pipe_server_arguments(pipe.ContainerPipeName),
               loader_variables("ContainerAdministrator"), in.read.get(), out.write.get(), null.get(), {});
    to_guest_ = std::move(in.write);
    from_guest_ = std::move(out.read);
    make_nonblocking(to_guest_);
    make_nonblocking(from_guest_);
    in.read.reset();
    out.write.reset();
    wait_until_ready(cancel);
    thread_ = std::thread([this] { run(); });
}

EmulatedPipe::~EmulatedPipe() {
    std::uint64_t one = 1;
    if (::write(stop_.get(), &one, sizeof one) > 0) thread_.join();
}

void EmulatedPipe::wait_until_ready(const base::CancelToken& cancel) {
    auto deadline = std::chrono::steady_clock::now() + kStartLimit;
    while (!ready_) {
        cancel.check();
        if (std::chrono::steady_clock::now() > deadline)
            throw base::fail(ErrorCode::TimedOut, "the server of a named pipe does not start");
        pollfd watched{from_guest_.get(), POLLIN, 0};
        if (::poll(&watched, 1, static_cast<int>(kPollInterval.count())) <= 0) continue;
        if (!fill_input() || !take_frames())
            throw base::fail(ErrorCode::Process, "the server of a named pipe ended unexpectedly");
    }
}

// Nothing may leave the thread. If it ends early, programs find the pipe closed.
void EmulatedPipe::run() {
    block_pipe_signal();
    try {
        serve();
    } catch (const std::exception&) {
    }
    connections_.clear();
    to_guest_.reset();
    from_guest_.reset();
}

void EmulatedPipe::serve() {
    for (;;) {
        bool room = unsent_.size() < kUnsentLimit;
        std::vector<pollfd> watched = {
            {stop_.get(), POLLIN, 0},
            {from_guest_.get(), POLLIN, 0},
            {unsent_.empty() ? -1 : to_guest_.get(), POLLOUT, 0},
        };
        std::vector<std::uint32_t> ids;
        for (const auto& [id, connection] : connections_) {
            short events =
                static_cast<short>((room ? POLLIN : 0) | (connection.unsent.empty() ? 0 : POLLOUT));
            watched.push_back({connection.socket.get(), events, 0});
            ids.push_back(id);
        }
        if (::poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return;
        if (watched[0].revents != 0) return;
        for (std::size_t i = 0; i < ids.size(); ++i) {
            short happened = watched[i + 3].revents;
            Connection& connection = connections_.at(ids[i]);
            bool open = (happened & POLLOUT) == 0 || to_socket(connection);
            if (open && (happened & (POLLIN | POLLHUP | POLLERR)) != 0)
                open = from_socket(ids[i], connection);
            if (!open) {
                send(kClose, ids[i], {});
                connections_.erase(ids[i]);
            }
        }
        if (watched[1].revents != 0 && (!fill_input() || !take_frames())) return;
        if (watched[2].revents != 0 && !write_to_guest()) return;
    }
}

bool EmulatedPipe::fill_input() {
    char chunk[kFrameLimit];
    ssize_t size = ::read(from_guest_.get(), chunk, sizeof chunk);
    if (size > 0) received_.append(chunk, static_cast<std::size_t>(size));
    return may_go_on(size);
}

// False for what is no frame: the box is not ours to trust.
bool EmulatedPipe::take_frames() {
    Header header;
    while (received_.size() >= sizeof header) {
        std::memcpy(&header, received_.data(), sizeof header);
        if (header.size > kFrameLimit) return false;
        if (received_.size() - sizeof header < header.size) return true;
        if (!on_frame(header.kind, header.connection,
                      std::string_view(received_).substr(sizeof header, header.size)))
            return false;
        received_.erase(0, sizeof header + header.size);
    }
    return true;
}

bool EmulatedPipe::on_frame(std::uint32_t kind, std::uint32_t id, std::string_view data) {
    auto found = connections_.find(id);
    switch (kind) {
        case kReady:
            ready_ = true;
            return true;
        case kOpen:
            if (found != connections_.end() || connections_.size() >= kMostConnections) return false;
            open_connection(id);
            return true;
        case kData:
            if (found == connections_.end()) return true;  // closed meanwhile
            found->second.unsent += data;
            if (found->second.unsent.size() > kUnsentLimit || !to_socket(found->second)) {
                send(kClose, id, {});
                connections_.erase(found);
            }
            return true;
        case kClose:
            if (found != connections_.end()) connections_.erase(found);
            return true;
        default:
            return false;
    }
}

void EmulatedPipe::open_connection(std::uint32_t id) {
    UniqueFd socket = base::connect_unix(socket_path_);
    if (socket)
        connections_[id].socket = std::move(socket);
    else
        send(kClose, id, {});
}

bool EmulatedPipe::from_socket(std::uint32_t id, Connection& connection) {
    std::array<char, kFrameLimit> chunk;
    ssize_t size = ::recv(connection.socket.get(), chunk.data(), chunk.size(), 0);
    if (size > 0) send(kData, id, {chunk.data(), static_cast<std::size_t>(size)});
    return may_go_on(size);
}

bool EmulatedPipe::to_socket(Connection& connection) {
    ssize_t sent =
        ::send(connection.socket.get(), connection.unsent.data(), connection.unsent.size(), MSG_NOSIGNAL);
    if (sent > 0) connection.unsent.erase(0, static_cast<std::size_t>(sent));
    return may_go_on(sent);
}

bool EmulatedPipe::write_to_guest() {
    ssize_t sent = ::write(to_guest_.get(), unsent_.data(), unsent_.size());
    if (sent > 0) unsent_.erase(0, static_cast<std::size_t>(sent));
    return may_go_on(sent);
}

void EmulatedPipe::send(std::uint32_t kind, std::uint32_t id, std::string_view data) {
    Header header{kind, id, static_cast<std::uint32_t>(data.size())};
    unsent_.append(reinterpret_cast<const char*>(&header), sizeof header);
    unsent_.append(data);
}

}  // namespace mullion::hcs
