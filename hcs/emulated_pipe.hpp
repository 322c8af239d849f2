// A named pipe of a box whose other end is a Unix socket of the host: MappedPipes of the document.
//
// A program in the box (hcs/guest/pipe.c) serves the pipe; what is said on it comes here in frames, through
// the program's standard streams, and each connection gets one of its own to the socket. The box itself sees
// no socket.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include "base/cancel.hpp"
#include "base/handle.hpp"
#include "hcs/box.hpp"
#include "hcs/schema.hpp"

namespace mullion::hcs {

class EmulatedPipe {
  public:
    // Returns when programs can open the pipe. `process` is an id that no other process of the box has.
    EmulatedPipe(const std::shared_ptr<Box>& box, std::uint32_t process, const MappedPipe& pipe,
                 const base::CancelToken& cancel);
    // Closes all connections.
    ~EmulatedPipe();
    EmulatedPipe(const EmulatedPipe&) = delete;
    EmulatedPipe& operator=(const EmulatedPipe&) = delete;

  private:
    struct Connection {
        base::UniqueFd socket;
        std::string unsent;  // to the socket
    };
    using Connections = std::map<std::uint32_t, Connection>;

    void wait_until_ready(const base::CancelToken& cancel);
    void run();
    void serve();
    bool fill_input();
    bool take_frames();
    bool on_frame(std::uint32_t kind, std::uint32_t connection, std::string_view data);
    void open_connection(std::uint32_t id);
    bool from_socket(std::uint32_t id, Connection& connection);
    bool to_socket(Connection& connection);
    bool write_to_guest();
    void send(std::uint32_t kind, std::uint32_t connection, std::string_view data);

    std::string socket_path_;
    base::UniqueFd to_guest_;    // pipe.exe's standard input
    base::UniqueFd from_guest_;  // and output
    base::UniqueFd stop_;        // an eventfd
    std::string received_;       // frames, the last one perhaps not whole
    std::string unsent_;         // to the guest
    bool ready_ = false;
    Connections connections_;
    std::thread thread_;
};

}  // namespace mullion::hcs
